-- Which of two sources is preferred on a prompt? Several verdicts on a prompt count with their mean.
-- params: none
-- rows:   one per judge, rubric, prompt and two sources with a verdict between them
with shown as (
    select response_key, source_key from responses
    union
    select response_key, source_key from shown_responses
),
verdicts as (
    select
        preferences.judge,
        preferences.rubric_key,
        preferences.prompt_key,
        least(a.source_key, b.source_key) as source_key,
        greatest(a.source_key, b.source_key) as against_key,
        if(a.source_key < b.source_key, preferences.preference, 1 - preferences.preference) as preference,
    from tso_preferences() as preferences
    join shown as a on a.response_key = preferences.response_a_key
    join shown as b on b.response_key = preferences.response_b_key
    where preferences.preference is not null and a.source_key <> b.source_key
)
select
    verdicts.judge,
    rubrics.name as rubric,
    sources.label as source,
    others.label as against,
    verdicts.prompt_key,
    tso_id('p', verdicts.prompt_key) as prompt_id,
    favg(verdicts.preference) as win,
    1 - favg(verdicts.preference) as loss,
from verdicts
join rubrics on rubrics.rubric_key = verdicts.rubric_key
join sources on sources.source_key = verdicts.source_key
join sources as others on others.source_key = verdicts.against_key
group by verdicts.judge, rubrics.name, sources.label, others.label, verdicts.prompt_key
order by judge, rubric, source, against, prompt_id
