-- Under which names is this build stored?
-- params: $build_key ubigint: the build
-- rows:   one per name
select
    name,
from builds
where build_key = $build_key
order by name
