-- Who ran what, when, how did it end, and how many rows of what did it add?
-- params: none
-- rows:   one per run, the latest first
with added as (
    select
        commits.run_key,
        commit_tables.table_name,
        sum(commit_tables.n_rows)::bigint as n_rows,
    from commit_tables
    join commits on commits.commit_seq = commit_tables.commit_seq
    where commit_tables.table_name not in ('runs', 'run_outcomes')
    group by all
),
by_run as (
    select
        run_key,
        string_agg(table_name || ': ' || n_rows, ', ' order by table_name) as added,
        sum(n_rows)::bigint as n_rows,
    from added
    group by run_key
)
select
    tso_id('run', runs.run_key) as run_id,
    runs.command,
    coalesce(run_outcomes.status, 'unfinished') as status,
    runs.started_at,
    run_outcomes.ended_at,
    coalesce(by_run.n_rows, 0) as n_rows,
    by_run.added,
    run_outcomes.detail,
from runs
left join run_outcomes on run_outcomes.run_key = runs.run_key
left join by_run on by_run.run_key = runs.run_key
order by runs.started_at desc, runs.run_key
