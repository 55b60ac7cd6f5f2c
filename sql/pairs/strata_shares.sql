-- How many pairs (prompts, where the build has none) has each stratum given to each pool?
-- params: $build_key ubigint: the build
--         $pools varchar[]: the pool of each cell
--         $strata varchar[]: its stratum
--         $requested double[]: the share of the pool that was asked for
--         $available bigint[]: how many it could give
-- rows:   one per cell
with asked as (
    select
        unnest($pools::varchar[]) as pool,
        unnest($strata::varchar[]) as stratum,
        unnest($requested::double[]) as requested,
        unnest($available::bigint[]) as available,
),
given as (
    select
        pool,
        stratum,
        count(*) as realised,
    from selected
    group by pool, stratum
)
select
    $build_key::ubigint as build_key,
    asked.pool,
    asked.stratum,
    asked.requested,
    asked.available,
    coalesce(given.realised, 0) as realised,
from asked
left join given on given.pool = asked.pool and given.stratum = asked.stratum
order by asked.pool, asked.stratum
