-- Which requests have an accepted answer?
-- params: $task varchar: generate or judge
-- rows:   one per request, by key
select distinct
    request_key,
from calls
where task = $task and failure is null
order by request_key
