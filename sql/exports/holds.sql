-- Does a build hold pairs, or answers?
-- params: $build ubigint: the build's key
-- rows:   one
select
    (select count(*) from pairs where pairs.build_key = $build) as n_pairs,
    (select count(*) from build_responses where build_responses.build_key = $build) as n_answers,
