-- Between which values do the scores of answers lie, and between which may they?
-- params: $rubric varchar: the rubric's name
-- rows:   one
select
    min(score) as lowest,
    max(score) as highest,
    (select min(scale_min) from rubrics where name = $rubric::varchar) as scale_min,
    (select max(scale_max) from rubrics where name = $rubric::varchar) as scale_max,
from answer_scores
