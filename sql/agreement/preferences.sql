-- Which of two answers does a judge prefer, and which do people, or another judge: the first, the second, or neither?
-- Verdicts in both orders count with their mean, and are a tie where that is even. Each person's verdict is a row.
-- params: $judges varchar[]: the judges; empty for all
--         $rubric varchar: the judge's rubric by name; null for all
--         $against varchar: the other judge; null for people
-- rows:   one per two answers, judge, rubric, and other verdict, by these
with verdicts as (
    select
        preferences.prompt_key,
        least(preferences.response_a_key, preferences.response_b_key) as a_key,
        greatest(preferences.response_a_key, preferences.response_b_key) as b_key,
        preferences.judge,
        min(preferences.judge_kind) as judge_kind,
        rubrics.name as rubric,
        favg(if(preferences.response_a_key < preferences.response_b_key, preference, 1 - preference)) as preference,
    from tso_preferences() as preferences
    join rubrics on rubrics.rubric_key = preferences.rubric_key
    where preferences.preference is not null
    group by all
)
select
    one.judge,
    one.rubric,
    if($against::varchar is null, 'people', other.judge) as against,
    other.rubric as against_rubric,
    other.judge as other_judge,
    one.prompt_key,
    tso_id('p', one.prompt_key) as prompt_id,
    tso_id('r', one.a_key) as response_a,
    tso_id('r', one.b_key) as response_b,
    (1 + sign(one.preference - 0.5)) / 2 as verdict,
    (1 + sign(other.preference - 0.5)) / 2 as other_verdict,
    verdict = other_verdict as is_same,
    if(verdict = 0.5 or other_verdict = 0.5, null, verdict = other_verdict) as is_same_side,
    1.0::double as share,
from verdicts as one
join verdicts as other on
    other.prompt_key = one.prompt_key
    and other.a_key = one.a_key
    and other.b_key = one.b_key
where
    one.judge_kind = 'model'
    and (len($judges::varchar[]) = 0 or list_contains($judges::varchar[], one.judge))
    and ($rubric::varchar is null or one.rubric = $rubric::varchar)
    and if($against::varchar is null, other.judge_kind = 'human', other.judge = $against::varchar)
    and (other.judge, other.rubric) <> (one.judge, one.rubric)
order by judge, rubric, against_rubric, other_judge, response_a, response_b
