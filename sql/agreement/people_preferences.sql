-- Which of the same two answers do two people prefer: the first, the second, or neither?
-- params: $rubric varchar: the rubric by name; null for all
-- rows:   one per two answers, rubric and two people, by these
with verdicts as (
    select
        preferences.prompt_key,
        least(preferences.response_a_key, preferences.response_b_key) as a_key,
        greatest(preferences.response_a_key, preferences.response_b_key) as b_key,
        preferences.judge as person,
        rubrics.name as rubric,
        favg(if(preferences.response_a_key < preferences.response_b_key, preference, 1 - preference)) as preference,
    from tso_preferences() as preferences
    join rubrics on rubrics.rubric_key = preferences.rubric_key
    where
        preferences.preference is not null
        and preferences.judge_kind = 'human'
        and ($rubric::varchar is null or rubrics.name = $rubric::varchar)
    group by all
),
counted as (
    select
        *,
        count(*) over (partition by prompt_key, a_key, b_key, rubric) as n_raters,
    from verdicts
)
select
    one.rubric,
    one.prompt_key,
    tso_id('p', one.prompt_key) as prompt_id,
    tso_id('r', one.a_key) as response_a,
    tso_id('r', one.b_key) as response_b,
    one.person,
    other.person as other_person,
    (1 + sign(one.preference - 0.5)) / 2 as verdict,
    (1 + sign(other.preference - 0.5)) / 2 as other_verdict,
    verdict = other_verdict as is_same,
    if(verdict = 0.5 or other_verdict = 0.5, null, verdict = other_verdict) as is_same_side,
    1.0::double / (one.n_raters - 1) as share,
from counted as one
join counted as other on
    other.prompt_key = one.prompt_key
    and other.a_key = one.a_key
    and other.b_key = one.b_key
    and other.rubric = one.rubric
    and other.person > one.person
order by rubric, response_a, response_b, person, other_person
