-- How many prompts are held out?
-- params: $build_key ubigint: the build
-- rows:   one
select
    count(distinct prompt_key) as n_prompts,
from pairs
where build_key = $build_key and split = 'held_out'
order by n_prompts
