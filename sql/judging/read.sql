-- What came of a judge's work by these rubrics: how often a number, and how it spreads?
-- params: $judge varchar: the judge
--         $rubrics ubigint[]: the rubrics
-- rows:   one per dimension, by name
with samples as (
    select
        dimension,
        response_key,
        rubric_key,
        count(value) as n,
        count(*) as n_scores,
        favg(value) as mean,
        stddev_samp(value) as sd,
    from tso_scores()
    where judge = $judge and list_contains($rubrics::ubigint[], rubric_key)
    group by all
)
select
    dimension,
    count(*) as n_answers,
    sum(n_scores)::bigint as n_scores,
    (sum(n_scores) - sum(n))::bigint as n_without,
    favg(mean) as mean,
    stddev_samp(mean) as sd,
    favg(sd) as sd_of_samples,
from samples
group by dimension
order by dimension
