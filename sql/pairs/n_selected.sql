-- How many prompts have a selected pair?
-- params: none
-- rows:   one
select
    count(distinct prompt_key) as n_prompts,
from selected
order by n_prompts
