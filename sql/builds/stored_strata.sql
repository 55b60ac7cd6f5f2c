-- Which shares of strata are stored for a build?
-- params: $build_key ubigint: the build
-- rows:   one per pool and stratum
select
    build_key,
    pool,
    stratum,
    requested,
    available,
    realised,
from build_strata
where build_key = $build_key
order by pool, stratum
