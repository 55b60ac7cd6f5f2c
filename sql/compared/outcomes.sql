-- What became of each answer between two judges: is it good by those who were asked, and does each judge say so?
-- Good is what lies at the limit or above; without one, at the middle of the judge's scale.
-- params: $before varchar: the one judge
--         $after varchar: the other
--         $good_from double: the limit; null for the middle of the scale
-- rows:   one per answer and dimension that both have scored
with told as (
    select
        one.judge as before,
        another.judge as after,
        one.dimension,
        one.cell,
        one.prompt_key,
        one.prompt_id,
        one.response_id,
        one.score as score_before,
        another.score as score_after,
        one.other,
        one.other >= coalesce($good_from::double, one.middle) as is_good,
        one.score >= coalesce($good_from::double, one.middle) as good_before,
        another.score >= coalesce($good_from::double, another.middle) as good_after,
    from compared as one
    join compared as another on
        another.response_id = one.response_id
        and another.dimension = one.dimension
        and another.against_rubric = one.against_rubric
    where one.judge = $before and another.judge = $after
)
select
    before,
    after,
    dimension,
    cell,
    prompt_key,
    prompt_id,
    response_id,
    score_before,
    score_after,
    other,
    is_good,
    case
        when is_good is null then 'no limit'
        when good_before = is_good and good_after = is_good then 'right with both'
        when good_before = is_good then 'newly broken'
        when good_after <> is_good then 'wrong with both'
        when is_good then 'good one rescued'
        else 'bad one caught'
    end as outcome,
    if((good_before = is_good) <> (good_after = is_good), true, null) as is_changed,
from told
order by outcome, dimension, response_id
