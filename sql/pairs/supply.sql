-- How many prompts can give a pair from which pools? There are two pools at most.
-- params: none
-- rows:   one per stratum and combination of pools, by name; the stratum is empty where the recipe has none
with usable as (
    select
        prompt_key,
        case when min(pool) = max(pool) then min(pool) else min(pool) || '+' || max(pool) end as pools,
    from judged
    where reason is null
    group by prompt_key
)
select
    coalesce(strata.stratum, '') as stratum,
    usable.pools,
    count(*) as n_prompts,
from usable
left join strata on strata.prompt_key = usable.prompt_key
group by all
order by stratum, usable.pools
