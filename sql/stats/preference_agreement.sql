-- Do two judges prefer the same one of the same two answers? Ties take no side.
-- params: none
-- rows:   one per two answers and two judges that both take a side
with verdicts as (
    select
        preferences.prompt_key,
        least(preferences.response_a_key, preferences.response_b_key) as a_key,
        greatest(preferences.response_a_key, preferences.response_b_key) as b_key,
        preferences.judge,
        rubrics.name as rubric,
        favg(if(preferences.response_a_key < preferences.response_b_key, preference, 1 - preference)) - 0.5 as side,
    from tso_preferences() as preferences
    join rubrics on rubrics.rubric_key = preferences.rubric_key
    where preferences.preference is not null
    group by all
)
select
    one.judge as judge,
    one.rubric as rubric,
    other.judge as other_judge,
    other.rubric as other_rubric,
    one.prompt_key,
    tso_id('p', one.prompt_key) as prompt_id,
    tso_id('r', one.a_key) as response_a,
    tso_id('r', one.b_key) as response_b,
    one.side * other.side > 0 as is_same,
from verdicts as one
join verdicts as other on
    other.prompt_key = one.prompt_key
    and other.a_key = one.a_key
    and other.b_key = one.b_key
    and (other.judge, other.rubric) > (one.judge, one.rubric)
where one.side <> 0 and other.side <> 0
order by judge, rubric, other_judge, other_rubric, prompt_id, response_a, response_b
