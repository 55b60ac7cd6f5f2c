-- Whose preferences by which rubrics are there?
-- params: $snapshot_seq bigint: the last commit that the build sees
-- rows:   one per judge and rubric, by name
select
    preferences.judge,
    rubrics.name as rubric,
    count(*) as n_verdicts,
from preferences
join rubrics on rubrics.rubric_key = preferences.rubric_key
where preferences.commit_seq <= $snapshot_seq and preferences.preference is not null
group by preferences.judge, rubrics.name
order by preferences.judge, rubrics.name
