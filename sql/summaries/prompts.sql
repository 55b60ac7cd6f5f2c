-- On how many prompts do the listed values stand?
-- params: none
-- rows:   one per subject
select
    subject,
    count(*) as n,
    count(distinct prompt_key) as n_prompts,
from listed
group by subject
order by subject
