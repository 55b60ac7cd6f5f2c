-- Which pairs of a build are to be compared?
-- params: $build_key ubigint: the build
-- rows:   one per pair of answers, by prompt
select distinct
    chosen_key as first_key,
    rejected_key as second_key,
    prompt_key,
from pairs
where build_key = $build_key::ubigint
order by prompt_key, first_key, second_key
