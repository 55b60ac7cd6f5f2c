-- In which stratum did each prompt of the build stand?
-- params: $build_key ubigint: the build
-- rows:   one per prompt, where the recipe has strata
select
    eligible.prompt_key,
    $build_key::ubigint as build_key,
    strata.stratum,
from eligible
join strata on strata.prompt_key = eligible.prompt_key
order by eligible.prompt_key
