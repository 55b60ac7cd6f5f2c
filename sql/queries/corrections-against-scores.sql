-- How far are the corrected scores from what the judges gave, and in which direction?
--
-- A judge that scored the answer more than once counts with the mean. A correction that no judge scored stands alone.
-- params: none
-- rows:   one per correction and judge, the farthest apart first
with judged as (
    select
        response_key,
        rubric_key,
        dimension,
        judge,
        favg(value) as mean,
        count(value) as n_scores,
    from tso_scores() as scores
    semi join corrections using (response_key, rubric_key, dimension)
    where value is not null
    group by all
)
select
    tso_id('cor', corrections.correction_key) as correction_id,
    tso_id('r', corrections.response_key) as response_id,
    rubrics.name as rubric,
    corrections.dimension,
    corrections.author,
    corrections.author_kind,
    corrections.value as corrected,
    judged.judge,
    judged.mean as judged,
    judged.n_scores,
    corrections.value - judged.mean as difference,
    corrections.reason,
from corrections
join rubrics on rubrics.rubric_key = corrections.rubric_key
left join judged on
    judged.response_key = corrections.response_key
    and judged.rubric_key = corrections.rubric_key
    and judged.dimension = corrections.dimension
order by abs(difference) desc nulls last, corrections.correction_key, judged.judge
