-- Which score has each answer of the table to_score: the mean over dimensions of the mean over samples, people's corrections first?
-- Sums run over whole millionths, because sums of doubles depend on the number of threads.
-- params: $snapshot_seq bigint: the last commit that the build sees
--         $judge varchar: the judge; null for no scores at all
--         $rubric varchar: the rubric's name
--         $dimensions varchar[]: the dimensions; empty for all
--         $people_first boolean: whether a correction stands in for the judge's score, a person's before a model's
--         $calibrations varchar[]: ids of the maps that the judge's scores go through, by dimension; empty for none
-- rows:   one per answer with a score
with chosen_rubrics as (
    select rubric_key from rubrics where name = $rubric::varchar
),
judged as (
    select
        response_key,
        dimension,
        sum(round(value * 1000000)::bigint)::double / count(*) / 1000000 as value,
    from tso_scores_at($snapshot_seq) as scores
    semi join chosen_rubrics using (rubric_key)
    semi join to_score using (response_key)
    where
        judge = $judge::varchar
        and value is not null
        and (len($dimensions::varchar[]) = 0 or list_contains($dimensions::varchar[], dimension))
    group by response_key, dimension
),
maps as (
    select dimension, judged as knots, corrected as levels
    from calibrations
    where list_contains($calibrations::varchar[], tso_id('cal', calibration_key))
),
latest as (
    select
        response_key,
        dimension,
        author,
        author_kind,
        arg_max(value, {'made_at': made_at, 'correction_key': correction_key}) as value,
    from corrections
    semi join chosen_rubrics using (rubric_key)
    semi join to_score using (response_key)
    where
        commit_seq <= $snapshot_seq
        and $people_first::boolean
        and $judge::varchar is not null
        and (len($dimensions::varchar[]) = 0 or list_contains($dimensions::varchar[], dimension))
    group by response_key, dimension, author, author_kind
),
corrected as (
    select
        response_key,
        dimension,
        sum(round(value * 1000000)::bigint)::double / count(*) / 1000000 as value,
    from latest
    group by response_key, dimension, author_kind
    qualify row_number() over (partition by response_key, dimension order by author_kind) = 1
),
of_dimensions as (
    select
        judged.response_key,
        judged.dimension,
        tso_calibrated(judged.value, maps.knots, maps.levels) as value,
    from judged
    left join maps on maps.dimension = judged.dimension
    anti join corrected on corrected.response_key = judged.response_key and corrected.dimension = judged.dimension
    union all
    select
        response_key,
        dimension,
        value,
    from corrected
),
-- mostly there is one dimension: then nothing is left to take the mean of, and grouping all answers again costs as much
-- as all that is above
spread as (select min(dimension) <> max(dimension) as has_several from of_dimensions)
select
    response_key,
    round(value * 1000000)::bigint::double / 1000000 as value,
from of_dimensions
where not (select has_several from spread)
union all
select
    response_key,
    sum(round(value * 1000000)::bigint)::double / count(*) / 1000000 as value,
from of_dimensions
where (select has_several from spread)
group by response_key
order by response_key
