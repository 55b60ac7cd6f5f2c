-- What are the names of the rubrics?
-- params: none
-- rows:   one per rubric, by key
select
    rubric_key,
    name,
from rubrics
order by rubric_key
