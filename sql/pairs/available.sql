-- How many pairs can each pool give, once every prompt has its pool?
-- params: none
-- rows:   one per pool and stratum, by name
select
    assigned.pool,
    assigned.stratum,
    count(*) as n_pairs,
from judged
join assigned on assigned.prompt_key = judged.prompt_key and assigned.pool = judged.pool
where judged.reason is null
group by assigned.pool, assigned.stratum
order by assigned.pool, assigned.stratum
