-- Which prompt has which id in a data set?
-- params: $dataset varchar: the data set
-- rows:   one per prompt and id, by id
select distinct
    prompt_key,
    external_id,
from prompt_origins
where dataset = $dataset and external_id is not null
order by external_id, prompt_key
