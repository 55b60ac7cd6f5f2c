-- Which answers has any judge looked at?
-- params: none
-- rows:   one per answer of the matrix and of people
with judged as (
    select response_key from scores
    union
    select response_a_key from preferences
    union
    select response_b_key from preferences
)
select
    sources.label as source,
    responses.prompt_key,
    tso_id('p', responses.prompt_key) as prompt_id,
    tso_id('r', responses.response_key) as response_id,
    responses.response_key in (select response_key from judged) as is_judged,
from responses
join sources on sources.source_key = responses.source_key
order by source, prompt_id, response_id
