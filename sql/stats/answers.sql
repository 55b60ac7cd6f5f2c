-- How long is each answer, is it empty, and did its length limit cut it?
-- params: none
-- rows:   one per answer of the matrix and of people
select
    sources.label as source,
    coalesce(responses.finish_reason, 'not told') as finish_reason,
    responses.prompt_key,
    tso_id('p', responses.prompt_key) as prompt_id,
    tso_id('r', responses.response_key) as response_id,
    responses.n_chars,
    responses.is_empty,
    responses.finish_reason = 'length' as is_cut,
from responses
join sources on sources.source_key = responses.source_key
order by source, prompt_id, response_id
