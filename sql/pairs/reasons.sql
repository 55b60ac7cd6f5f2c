-- Why does a pool give no more pairs?
-- params: $pool varchar: the pool
-- rows:   one per reason, most frequent first
select
    reason,
    count(distinct prompt_key) as n_prompts,
from judged
where pool = $pool and reason is not null
group by reason
order by n_prompts desc, reason
