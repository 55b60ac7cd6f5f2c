-- Of two answers to one prompt that the others tell apart, does the judge put the same one above?
-- A judge that tells them not apart is right by half.
-- params: none
-- rows:   one per two answers, dimension, judge and rubric
select
    one.judge,
    one.rubric,
    one.against,
    one.against_rubric,
    one.dimension,
    one.prompt_key,
    one.prompt_id,
    one.response_id as response_a,
    another.response_id as response_b,
    one.score - another.score as difference,
    one.other - another.other as other_difference,
    (1 + sign((one.score - another.score) * (one.other - another.other))) / 2 as is_same,
from compared as one
join compared as another on
    another.prompt_key = one.prompt_key
    and another.judge = one.judge
    and another.rubric = one.rubric
    and another.against = one.against
    and another.against_rubric = one.against_rubric
    and another.dimension = one.dimension
    and another.response_id > one.response_id
where one.other <> another.other
order by judge, rubric, against_rubric, dimension, response_a, response_b
