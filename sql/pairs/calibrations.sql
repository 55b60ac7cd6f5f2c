-- Which is the latest calibration of a judge's scores in each dimension that it has scored?
-- params: $snapshot_seq bigint: the last commit that the build sees
--         $judge varchar: the judge
--         $rubric varchar: the rubric's name
--         $dimensions varchar[]: the dimensions; empty for all
-- rows:   one per dimension, by name; without an id where there is none
with scored as (
    select distinct scores.dimension
    from scores
    join rubrics on rubrics.rubric_key = scores.rubric_key
    where
        scores.commit_seq <= $snapshot_seq
        and scores.judge = $judge::varchar
        and rubrics.name = $rubric::varchar
        and scores.value is not null
        and (len($dimensions::varchar[]) = 0 or list_contains($dimensions::varchar[], scores.dimension))
),
latest as (
    select
        dimension,
        arg_max(calibration_key, commit_seq) as calibration_key,
    from calibrations
    where commit_seq <= $snapshot_seq and judge = $judge::varchar and rubric = $rubric::varchar
    group by dimension
)
select
    scored.dimension,
    tso_id('cal', latest.calibration_key) as calibration_id,
from scored
left join latest on latest.dimension = scored.dimension
order by scored.dimension
