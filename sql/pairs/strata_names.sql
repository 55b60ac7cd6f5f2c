-- Which strata do the eligible prompts stand in?
-- params: none
-- rows:   one per stratum, by name
select
    strata.stratum,
    count(*) as n_prompts,
from strata
join eligible on eligible.prompt_key = strata.prompt_key
where eligible.reason is null
group by strata.stratum
order by strata.stratum
