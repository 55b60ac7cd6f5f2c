-- Which of two sources is preferred on a prompt? Several verdicts on a prompt count with their mean.
-- params: none
-- rows:   one per judge, rubric, prompt and ordered two sources with a verdict between them
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
        a.source_key as a_source_key,
        b.source_key as b_source_key,
        preferences.preference,
    from preferences
    join shown as a on a.response_key = preferences.response_a_key
    join shown as b on b.response_key = preferences.response_b_key
    where preferences.preference is not null and a.source_key <> b.source_key
),
both_ways as (
    select judge, rubric_key, prompt_key, a_source_key as source_key, b_source_key as against_key, preference
    from verdicts
    union all
    select judge, rubric_key, prompt_key, b_source_key, a_source_key, 1 - preference
    from verdicts
)
select
    both_ways.judge,
    rubrics.name as rubric,
    sources.label as source,
    others.label as against,
    tso_id('p', both_ways.prompt_key) as prompt_id,
    favg(both_ways.preference) as win,
from both_ways
join rubrics on rubrics.rubric_key = both_ways.rubric_key
join sources on sources.source_key = both_ways.source_key
join sources as others on others.source_key = both_ways.against_key
group by both_ways.judge, rubrics.name, sources.label, others.label, both_ways.prompt_key
order by judge, rubric, source, against, prompt_id
