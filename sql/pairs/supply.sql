-- How many prompts can give a pair from which pools?
-- params: none
-- rows:   one per stratum and combination of pools, by name; the stratum is empty where the recipe has none
with usable as (
    select
        prompt_key,
        string_agg(distinct pool, '+' order by pool) as pools,
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
