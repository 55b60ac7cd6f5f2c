-- On which answers are those who scored them farthest apart, and who gave the least and the most?
--
-- A judge counts with the mean of its samples, a person or a stronger judge with the latest word.
-- params: $rubric varchar = null: only this rubric, by name
-- rows:   one per answer, rubric and dimension with two raters or more, the farthest apart first
select
    response_id,
    any_value(source) as source,
    rubric,
    dimension,
    count(*) as n_raters,
    min(mark) as lowest,
    arg_min(rater, {'mark': mark, 'rater': rater}) as lowest_by,
    max(mark) as highest,
    arg_max(rater, {'mark': mark, 'rater': rater}) as highest_by,
    max(mark) - min(mark) as apart,
from v_marks
where $rubric::varchar is null or rubric = $rubric::varchar
group by response_id, rubric_id, rubric, dimension
having count(*) > 1
order by apart desc, response_id, rubric_id, dimension
