-- Which verdicts compare an answer with another, in whose words?
-- params: $response_key ubigint: the answer
-- rows:   one per verdict, by judge and the other answer's source; preference is for this answer, from 0 to 1
with verdicts as (
    select *, response_b_key as other_key, preference as for_this from preferences where response_a_key = $response_key
    union all
    select *, response_a_key, 1 - preference from preferences where response_b_key = $response_key
),
everyone as (
    select response_key, source_key from responses
    semi join verdicts on verdicts.other_key = responses.response_key
    union
    select response_key, source_key from shown_responses
    semi join verdicts on verdicts.other_key = shown_responses.response_key
)
select
    verdicts.judge,
    verdicts.judge_kind,
    rubrics.name as rubric,
    sources.label as against,
    tso_id('r', verdicts.other_key) as against_response_id,
    verdicts.for_this as preference,
    verdicts.reason,
    judgements.raw,
    tso_id('run', commits.run_key) as run_id,
from verdicts
join rubrics on rubrics.rubric_key = verdicts.rubric_key
join commits on commits.commit_seq = verdicts.commit_seq
left join everyone on everyone.response_key = verdicts.other_key
left join sources on sources.source_key = everyone.source_key
left join judgements on judgements.judgement_key = verdicts.judgement_key
order by verdicts.judge, against, verdicts.preference_key
