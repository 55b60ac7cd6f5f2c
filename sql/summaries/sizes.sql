-- How many listed values has each subject, and in how many blocks of prompts?
-- params: none
-- rows:   one per subject
select
    subject,
    count(*) as n,
    count(distinct prompt_key % 1024) as n_blocks,
from listed
group by subject
order by subject
