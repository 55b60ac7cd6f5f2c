-- Which shares are stored for a build?
-- params: $build_key ubigint: the build
-- rows:   one per pool, side and source
select
    build_key,
    pool,
    side,
    source_key,
    requested,
    expected,
    realised,
from build_shares
where build_key = $build_key
order by pool, side, source_key
