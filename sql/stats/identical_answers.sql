-- Which answers stand word for word under another source of the prompt, or under another prompt?
-- Blanks at the edges do not count, and answers of nothing but blanks are left out.
-- params: none
-- rows:   one per answer that is not empty
with across_sources as (
    select prompt_key, text_key
    from responses
    where not is_empty
    group by prompt_key, text_key
    having min(source_key) <> max(source_key)
),
across_prompts as (
    select text_key
    from responses
    where not is_empty
    group by text_key
    having min(prompt_key) <> max(prompt_key)
)
select
    sources.label as source,
    responses.prompt_key,
    tso_id('p', responses.prompt_key) as prompt_id,
    tso_id('r', responses.response_key) as response_id,
    across_sources.text_key is not null as is_shared_by_sources,
    across_prompts.text_key is not null as is_shared_by_prompts,
from responses
join sources on sources.source_key = responses.source_key
left join across_sources
    on across_sources.prompt_key = responses.prompt_key and across_sources.text_key = responses.text_key
left join across_prompts on across_prompts.text_key = responses.text_key
where not responses.is_empty
order by source, prompt_id, response_id
