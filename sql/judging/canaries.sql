-- How does the judge rank the canaries that stand for real answers? Each has to score lower than the answer it stands for.
-- params: $judge varchar: the judge
--         $rubrics ubigint[]: the rubrics of the real answers
-- rows:   one per dimension, by name
with read as (
    select
        scores.response_key,
        scores.dimension,
        scores.sample_index,
        rubrics.name,
        any_value(scores.value) as value,
    from tso_scores() as scores
    join rubrics on rubrics.rubric_key = scores.rubric_key
    where scores.judge = $judge
    group by all
),
names as (
    select distinct name from rubrics where list_contains($rubrics::ubigint[], rubric_key)
)
select
    canary.dimension,
    count(*) as n_canaries,
    count(*) filter (where canary.value < original.value) as n_below,
    count(*) filter (where canary.value = original.value) as n_equal,
    count(*) filter (where canary.value > original.value) as n_above,
    count(*) filter (where canary.value is null or original.value is null) as n_without,
from read as canary
join shown_responses on shown_responses.response_key = canary.response_key
left join read as original
    on tso_id('r', original.response_key) = shown_responses.external_id
    and original.dimension = canary.dimension
    and original.sample_index = canary.sample_index
    and canary.name = 'canary:' || original.name
semi join names on canary.name = 'canary:' || names.name
group by canary.dimension
order by canary.dimension
