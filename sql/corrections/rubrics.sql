-- Which rubrics for one answer at a time are there?
-- params: none
-- rows:   one per rubric, by name
select
    name,
    scale_min,
    scale_max,
    template,
from rubrics
where kind = 'pointwise'
order by name, rubric_key
