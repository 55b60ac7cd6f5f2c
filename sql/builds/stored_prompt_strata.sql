-- Which strata are stored for the prompts of a build?
-- params: $build_key ubigint: the build
-- rows:   one per prompt, by key
select
    prompt_key,
    build_key,
    stratum,
from build_prompt_strata
where build_key = $build_key
order by prompt_key
