-- Which prompts got the same words from several sources, blanks at the edges aside? Empty answers are left out.
-- params: none
-- rows:   one per prompt and text, those of most sources first
with shared as (
    select
        prompt_key,
        text_key,
    from responses
    where not is_empty
    group by prompt_key, text_key
    having min(source_key) <> max(source_key)
)
select
    tso_id('p', responses.prompt_key) as prompt_id,
    count(distinct responses.source_key) as n_sources,
    count(*) as n_answers,
    string_agg(distinct sources.label, ', ' order by sources.label) as sources,
    min(responses.text) as text,
from responses
join shared on shared.prompt_key = responses.prompt_key and shared.text_key = responses.text_key
join sources on sources.source_key = responses.source_key
group by responses.prompt_key, responses.text_key
order by n_sources desc, n_answers desc, responses.prompt_key, responses.text_key
