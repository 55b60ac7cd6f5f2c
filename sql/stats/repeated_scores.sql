-- How far do repeated judgements of one answer lie apart?
-- params: none
-- rows:   one per answer, judge, rubric and dimension with at least two scores
with repeated as (
    select
        judge,
        rubric_key,
        dimension,
        response_key,
        min(prompt_key) as prompt_key,
        count(value) as n_scores,
        favg(value) as mean,
        var_samp(value) as variance,
    from tso_scores() as scores
    where value is not null
    group by judge, rubric_key, dimension, response_key
    having count(value) > 1
)
select
    repeated.judge,
    rubrics.name as rubric,
    repeated.dimension,
    repeated.prompt_key,
    tso_id('p', repeated.prompt_key) as prompt_id,
    tso_id('r', repeated.response_key) as response_id,
    repeated.n_scores,
    repeated.mean,
    repeated.variance,
from repeated
join rubrics on rubrics.rubric_key = repeated.rubric_key
order by judge, rubric, dimension, prompt_id, response_id
