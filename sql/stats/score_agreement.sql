-- How do two judges score the same answer, each on its own scale from 0 to 1 where it has one?
-- params: none
-- rows:   one per answer, dimension and two judges or rubrics
with scored as (
    select
        scores.response_key,
        scores.judge,
        rubrics.name as rubric,
        scores.dimension,
        min(scores.prompt_key) as prompt_key,
        (favg(scores.value) - coalesce(any_value(rubrics.scale_min), 0))
            / coalesce(nullif(any_value(rubrics.scale_max - rubrics.scale_min), 0), 1) as score,
    from tso_scores() as scores
    join rubrics on rubrics.rubric_key = scores.rubric_key
    where scores.value is not null
    group by scores.response_key, scores.judge, rubrics.name, scores.dimension
)
select
    one.judge as judge,
    one.rubric as rubric,
    other.judge as other_judge,
    other.rubric as other_rubric,
    one.dimension,
    one.prompt_key,
    tso_id('p', one.prompt_key) as prompt_id,
    tso_id('r', one.response_key) as response_id,
    one.score as score,
    other.score as other_score,
    one.score - other.score as difference,
    abs(one.score - other.score) as absolute_difference,
from scored as one
join scored as other on
    other.response_key = one.response_key
    and other.dimension = one.dimension
    and (other.judge, other.rubric) > (one.judge, one.rubric)
order by judge, rubric, other_judge, other_rubric, dimension, prompt_id, response_id
