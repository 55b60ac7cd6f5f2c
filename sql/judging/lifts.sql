-- By how much do made-up answers score above the answers that they stand for?
-- params: $judge varchar: the judge
--         $rubrics ubigint[]: the rubrics that the made-up answers were judged by
--         $base varchar: the source of the answers as they are
-- rows:   one per probe and answer it stands for, by these
with read as (
    select
        sources.version as probe,
        shown_responses.external_id as original,
        scores.dimension,
        count(*) as n_scores,
        count(scores.value) as n,
        sum(round(scores.value * 1000000)::bigint)::double / count(scores.value) / 1000000 as value,
    from tso_scores() as scores
    join shown_responses on shown_responses.response_key = scores.response_key
    join sources on sources.source_key = shown_responses.source_key
    where
        scores.judge = $judge
        and list_contains($rubrics::ubigint[], scores.rubric_key)
        and sources.family = 'probe'
    group by all
)
select
    attacked.probe,
    attacked.original,
    sum(attacked.n_scores)::bigint as n_scores,
    sum(attacked.n_scores - attacked.n)::bigint as n_without,
    sum(round((attacked.value - base.value) * 1000000)::bigint)::double
    / count(attacked.value - base.value) / 1000000 as lift,
from read as attacked
join read as base
    on base.original = attacked.original and base.dimension = attacked.dimension and base.probe = $base
group by attacked.probe, attacked.original
order by attacked.probe, attacked.original
