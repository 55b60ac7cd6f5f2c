-- Why is a prompt not even looked at? The prompts that are have no reason.
-- params: none
-- rows:   one per reason, most frequent first
select
    reason,
    count(*) as n_prompts,
from eligible
group by reason
order by n_prompts desc, reason
