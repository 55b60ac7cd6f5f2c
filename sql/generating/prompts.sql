-- Which messages do these prompts hold?
-- params: $prompts ubigint[]: their keys
-- rows:   one per prompt, by key
select
    prompt_key,
    messages,
from prompts
where prompt_key in (select unnest($prompts::ubigint[]))
order by prompt_key
