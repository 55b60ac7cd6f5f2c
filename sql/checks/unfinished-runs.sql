-- Which runs have no end on record: still at work, or killed?
-- fault:  a command that was killed looks like one that is done; running it again completes it
-- level:  notice
-- params: $first_seq bigint: the first commit to look at
-- rows:   one per run, oldest first
select
    tso_id('run', runs.run_key) as id,
    runs.command,
    runs.started_at,
from runs
anti join run_outcomes on run_outcomes.run_key = runs.run_key
where runs.commit_seq >= $first_seq
order by runs.commit_seq, runs.run_key
