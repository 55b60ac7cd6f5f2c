-- What does a judge give each answer, and what do people, or another judge, give it on the judge's scale?
-- People count with their mean. Where both rubrics state a scale and the two differ, the other's mark is stretched onto
-- the judge's.
-- params: $judges varchar[]: the judges; empty for all
--         $rubric varchar: the judge's rubric by name; null for all
--         $against varchar: the other judge; null for people
-- rows:   one per answer, dimension, judge and rubric, the farthest apart first
with judged as (
    select * from v_marks
    where
        rater_kind = 'model'
        and (len($judges::varchar[]) = 0 or list_contains($judges::varchar[], rater))
        and ($rubric::varchar is null or rubric = $rubric::varchar)
        and ($against::varchar is null or rater <> $against::varchar)
),
others as (
    select
        response_id,
        coalesce($against::varchar, 'people') as against,
        rubric,
        scale_min,
        scale_max,
        dimension,
        sum(round(mark * 1000000)::bigint)::double / count(*) / 1000000 as mark,
        count(*) as n_raters,
    from v_marks
    where if($against::varchar is null, rater_kind = 'human', rater = $against::varchar)
    group by response_id, rubric, scale_min, scale_max, dimension
),
compared as (
    select
        judged.rater as judge,
        judged.rubric,
        others.against,
        others.rubric as against_rubric,
        judged.dimension,
        judged.source as cell,
        judged.prompt_id,
        judged.response_id,
        judged.mark as score,
        if(
            others.scale_max - others.scale_min > 0 and judged.scale_max - judged.scale_min > 0,
            judged.scale_min
                + (others.mark - others.scale_min) * (judged.scale_max - judged.scale_min)
                / (others.scale_max - others.scale_min),
            others.mark
        ) as other,
        others.n_raters,
        (judged.scale_min + judged.scale_max) / 2 as middle,
    from judged
    join others on others.response_id = judged.response_id and others.dimension = judged.dimension
)
select
    judge,
    rubric,
    against,
    against_rubric,
    dimension,
    cell,
    tso_key('p', prompt_id) as prompt_key,
    prompt_id,
    response_id,
    score,
    other,
    score - other as difference,
    abs(score - other) as absolute_difference,
    n_raters,
    middle,
    1.0::double as share,
from compared
order by absolute_difference desc, judge, rubric, against_rubric, dimension, response_id
