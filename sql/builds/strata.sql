-- How much of each pool was asked of each stratum, could it give, and has it given?
-- params: $build_key ubigint: the build
-- rows:   one per pool and stratum, by name
select
    pool,
    stratum,
    requested,
    available,
    realised,
from build_strata
where build_key = $build_key
order by pool, stratum
