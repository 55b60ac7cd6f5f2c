-- Which policies are there to be named?
-- params: $snapshot_seq bigint: the last commit that the build sees
-- rows:   one per name, the newest first
select
    name,
    max(commit_seq) as newest_seq,
from artefacts
where kind = 'policy' and commit_seq <= $snapshot_seq
group by name
order by newest_seq desc, name
