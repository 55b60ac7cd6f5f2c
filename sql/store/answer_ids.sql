-- Which answers are there to the prompts of a data set?
-- params: $dataset varchar: the data set
-- rows:   one per answer, by key
select
    responses.response_key,
    responses.prompt_key,
    responses.source_key,
    responses.external_id,
from responses
semi join (select prompt_key from prompt_origins where dataset = $dataset) as origins using (prompt_key)
order by responses.response_key
