-- How many prompts can give a pair from which pools? There are two pools at most.
-- params: none
-- rows:   one per combination of pools, by name
with usable as (
    select
        prompt_key,
        case when min(pool) = max(pool) then min(pool) else min(pool) || '+' || max(pool) end as pools,
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
