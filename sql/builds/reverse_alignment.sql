-- How many pairs reject the base model's own answer against another source's?
-- params: $build_key ubigint: the build
--         $base varchar: the base model
-- rows:   one
select
    count(*) as n_pairs,
from pairs
join sources as chosen on chosen.source_key = pairs.chosen_source_key
join sources as rejected on rejected.source_key = pairs.rejected_source_key
where pairs.build_key = $build_key and rejected.label = $base and chosen.label <> $base
order by n_pairs
