-- Which scores, corrections, preferences and judgements are of another prompt or source than the answer they judge?
-- fault:  the statistics read prompt and source from the score itself, so a shifted score moves to another cell
-- level:  violation
-- params: $first_seq bigint: the first commit to look at
-- rows:   one per verdict and answer, by table
with answers as (
    select response_key, prompt_key, source_key from responses
    union
    select response_key, prompt_key, source_key from shown_responses
),
verdicts as (
    select 'scores' as table_name, response_key, prompt_key, source_key, judge, commit_seq from scores
    union all
    select 'corrections', response_key, prompt_key, null, author, commit_seq from corrections
    union all
    select 'preferences', response_a_key, prompt_key, null, judge, commit_seq from preferences
    union all
    select 'preferences', response_b_key, prompt_key, null, judge, commit_seq from preferences
    union all
    select 'judgements', response_key, prompt_key, null, judge, commit_seq from judgements
)
select
    tso_id('r', verdicts.response_key) as id,
    verdicts.table_name,
    verdicts.judge,
    tso_id('p', verdicts.prompt_key) as stated_prompt_id,
    tso_id('p', answers.prompt_key) as prompt_id,
from verdicts
join answers on answers.response_key = verdicts.response_key
where
    verdicts.commit_seq >= $first_seq
    and (verdicts.prompt_key <> answers.prompt_key or verdicts.source_key <> answers.source_key)
order by verdicts.table_name, verdicts.response_key, verdicts.judge, verdicts.prompt_key
