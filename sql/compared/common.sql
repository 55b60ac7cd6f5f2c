-- Which answers have two judges both scored, of those that others have scored?
-- params: $before varchar: the one judge
--         $after varchar: the other
-- rows:   one per answer, dimension and judge
select
    judge,
    rubric,
    against,
    against_rubric,
    dimension,
    cell,
    prompt_key,
    prompt_id,
    response_id,
    score,
    other,
    difference,
    absolute_difference,
    middle,
    share,
from marked
where judge in ($before, $after)
qualify
    min(judge) over (partition by response_id, dimension, against_rubric)
    <> max(judge) over (partition by response_id, dimension, against_rubric)
order by judge, rubric, against_rubric, dimension, response_id
