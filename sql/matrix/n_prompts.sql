-- How many prompts are there to be answered? Turns that hold a model's own earlier answers count as well.
-- params: $dataset varchar: the data set; null for all
-- rows:   one
select
    count(*) as n_prompts,
from prompts
where
    $dataset::varchar is null
    or prompt_key in (select prompt_key from prompt_origins where dataset = $dataset::varchar)
order by n_prompts
