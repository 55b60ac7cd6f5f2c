-- Which answers are the build?
-- params: $build_key ubigint: the build
-- rows:   one per answer, by prompt and place
select
    listed.response_key,
    $build_key::ubigint as build_key,
    listed.prompt_key,
    listed.source_key,
    listed.place,
    listed.score,
    split.split,
    split.minibatch,
from listed
join selected on selected.prompt_key = listed.prompt_key and selected.pool = listed.pool
join split on split.prompt_key = listed.prompt_key
order by listed.prompt_key, listed.place
