-- Which score has each answer of the table to_score: the mean over dimensions of the mean over samples, people's corrections first?
-- Sums run over whole millionths, because sums of doubles depend on the number of threads.
-- params: $snapshot_seq bigint: the last commit that the build sees
--         $judge varchar: the judge; null for no scores at all
--         $rubric varchar: the rubric's name
--         $dimensions varchar[]: the dimensions; empty for all
--         $people_first boolean: whether a correction stands in for the judge's score
-- rows:   one per answer with a score
with chosen_rubrics as (
    select rubric_key from rubrics where name = $rubric::varchar
),
judged as (
    select
        response_key,
        dimension,
        sum(round(value * 1000000)::bigint)::double / count(*) / 1000000 as value,
    from scores
    semi join chosen_rubrics using (rubric_key)
    semi join to_score using (response_key)
    where
        commit_seq <= $snapshot_seq
        and judge = $judge::varchar
        and value is not null
        and (len($dimensions::varchar[]) = 0 or list_contains($dimensions::varchar[], dimension))
    group by response_key, dimension
),
latest as (
    select
        response_key,
        dimension,
        author,
        arg_max(value, {'made_at': made_at, 'correction_key': correction_key}) as value,
    from corrections
    semi join chosen_rubrics using (rubric_key)
    semi join to_score using (response_key)
    where
        commit_seq <= $snapshot_seq
        and $people_first::boolean
        and $judge::varchar is not null
        and (len($dimensions::varchar[]) = 0 or list_contains($dimensions::varchar[], dimension))
    group by response_key, dimension, author
),
corrected as (
    select
        response_key,
        dimension,
        sum(round(value * 1000000)::bigint)::double / count(*) / 1000000 as value,
    from latest
    group by response_key, dimension
),
of_dimensions as (
    select
        response_key,
        dimension,
        value,
    from judged
    anti join corrected using (response_key, dimension)
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
