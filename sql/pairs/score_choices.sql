-- Which judges have scored answers of these sources, by which rubrics?
-- params: $snapshot_seq bigint: the last commit that the build sees
--         $sources ubigint[]: the sources
-- rows:   one per judge and rubric, by name
with only_shown as (
    select response_key from shown_responses
    anti join responses using (response_key)
)
select
    scores.judge,
    rubrics.name as rubric,
    count(*) as n_scores,
from scores
join rubrics on rubrics.rubric_key = scores.rubric_key
anti join only_shown on only_shown.response_key = scores.response_key
where
    scores.commit_seq <= $snapshot_seq
    and scores.value is not null
    and list_contains($sources::ubigint[], scores.source_key)
group by scores.judge, rubrics.name
order by scores.judge, rubrics.name
