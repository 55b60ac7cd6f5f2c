-- Which map do a judge's scores by a rubric go through in each dimension now?
-- params: $judge varchar: the judge
--         $rubric varchar: the rubric's name
-- rows:   one per dimension, by name
select
    dimension,
    arg_max(judged, commit_seq) as judged,
    arg_max(corrected, commit_seq) as corrected,
from calibrations
where judge = $judge and rubric = $rubric
group by dimension
order by dimension
