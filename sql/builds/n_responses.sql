-- How many answers does the build hold beside pairs?
-- params: $build_key ubigint: the build
-- rows:   one
select
    count(*) as n_responses,
from build_responses
where build_key = $build_key
order by n_responses
