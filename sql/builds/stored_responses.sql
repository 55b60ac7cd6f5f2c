-- Which answers are stored for a build?
-- params: $build_key ubigint: the build
-- rows:   one per answer, by prompt and place
select
    response_key,
    build_key,
    prompt_key,
    source_key,
    place,
    score,
    split,
    minibatch,
from build_responses
where build_key = $build_key
order by prompt_key, place
