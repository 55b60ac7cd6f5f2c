-- Which outcomes are stored for a build?
-- params: $build_key ubigint: the build
-- rows:   one per prompt, by key
select
    build_key,
    prompt_key,
    outcome,
    reason,
from build_prompts
where build_key = $build_key
order by prompt_key
