-- How many answers of each competing source does the build hold?
-- params: $pools varchar[]: the pool of each competitor
--         $sources ubigint[]: its source
-- rows:   one per pool and source
with asked as (
    select
        unnest($pools::varchar[]) as pool,
        unnest($sources::ubigint[]) as source_key,
)
select
    asked.pool,
    'chosen' as side,
    asked.source_key,
    null::double as requested,
    null::double as expected,
    count(selected.prompt_key) as realised,
from asked
left join listed on listed.pool = asked.pool and listed.source_key = asked.source_key
left join selected on selected.pool = listed.pool and selected.prompt_key = listed.prompt_key
group by asked.pool, asked.source_key
order by asked.pool, asked.source_key
