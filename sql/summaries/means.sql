-- What is the mean of the listed values, over how many rows and prompts?
-- params: none
-- rows:   one per subject
select
    subject,
    count(*) as n,
    count(distinct prompt_id) as n_prompts,
    favg(value) as value,
from listed
group by subject
order by subject
