-- Which of a source's several answers to one prompt are word for word the same?
-- params: none
-- rows:   one per answer of a source that has several on the prompt
with several as (
    select
        prompt_key,
        source_key,
    from responses
    group by prompt_key, source_key
    having count(*) > 1
),
answers as (
    select
        responses.prompt_key,
        responses.source_key,
        responses.response_key,
        responses.text_key,
    from responses
    semi join several on several.prompt_key = responses.prompt_key and several.source_key = responses.source_key
)
select
    sources.label as source,
    answers.prompt_key,
    tso_id('p', answers.prompt_key) as prompt_id,
    tso_id('r', answers.response_key) as response_id,
    count(*) over (partition by answers.prompt_key, answers.source_key, answers.text_key) > 1 as is_repeated,
from answers
join sources on sources.source_key = answers.source_key
order by source, prompt_id, response_id
