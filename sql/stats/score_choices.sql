-- Which judges have scored answers, by which rubrics?
-- params: none
-- rows:   one per judge and rubric, by name
select
    scores.judge,
    rubrics.name as rubric,
from tso_scores() as scores
join rubrics on rubrics.rubric_key = scores.rubric_key
where scores.value is not null
group by scores.judge, rubrics.name
order by scores.judge, rubrics.name
