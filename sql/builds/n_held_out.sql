-- How many prompts are held out?
-- params: $build_key ubigint: the build
-- rows:   one
with placed as (
    select prompt_key from pairs where build_key = $build_key and split = 'held_out'
    union
    select prompt_key from build_responses where build_key = $build_key and split = 'held_out'
)
select
    count(*) as n_prompts,
from placed
order by n_prompts
