-- What do two people give the same answer, by the same rubric?
-- params: $rubric varchar: the rubric by name; null for all
-- rows:   one per answer, dimension, rubric and two people, the farthest apart first
with marks as (
    select
        *,
        count(*) over (partition by response_id, rubric, scale_min, scale_max, dimension) as n_raters,
    from v_marks
    where rater_kind = 'human' and ($rubric::varchar is null or rubric = $rubric::varchar)
)
select
    one.rubric,
    one.dimension,
    one.source as cell,
    tso_key('p', one.prompt_id) as prompt_key,
    one.prompt_id,
    one.response_id,
    one.rater as person,
    another.rater as other_person,
    one.mark as score,
    another.mark as other,
    abs(one.mark - another.mark) as absolute_difference,
    1.0::double / (one.n_raters - 1) as share,
from marks as one
join marks as another on
    another.response_id = one.response_id
    and another.rubric = one.rubric
    and another.scale_min is not distinct from one.scale_min
    and another.scale_max is not distinct from one.scale_max
    and another.dimension = one.dimension
    and another.rater > one.rater
order by absolute_difference desc, rubric, dimension, response_id, person, other_person
