-- What was asked, and where does the question come from?
-- params: $prompt_key ubigint: the prompt
-- rows:   one
select
    tso_id('p', prompts.prompt_key) as prompt_id,
    prompts.messages,
    (
        select list_sort(list(distinct {'dataset': dataset, 'external_id': external_id}))
        from prompt_origins
        where prompt_origins.prompt_key = prompts.prompt_key
    ) as origins,
from prompts
where prompts.prompt_key = $prompt_key
order by prompt_id
