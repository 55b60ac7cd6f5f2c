-- How many prompts can give a pair from which pools?
-- params: none
-- rows:   one per combination of pools, by name
with usable as (
    select
        prompt_key,
        string_agg(distinct pool, '+' order by pool) as pools,
    from judged
    where reason is null
    group by prompt_key
)
select
    pools,
    count(*) as n_prompts,
from usable
group by pools
order by pools
