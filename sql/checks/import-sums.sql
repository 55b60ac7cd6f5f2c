-- Which imports have sums that their refusals and rows do not bear out?
-- fault:  rows that were dropped in silence: accepted + present + skipped + failed are all rows of a file
-- level:  violation
-- params: $first_seq bigint: the first commit to look at
-- rows:   one per import and number, by run
with tallied as (
    select
        run_key,
        file_key,
        sum(n_skipped) as n_skipped,
        sum(n_failed) as n_failed,
        sum(n_accepted) as n_accepted,
        max(commit_seq) as commit_seq,
    from imports
    group by run_key, file_key
),
refused as (
    select
        run_key,
        file_key,
        count(*) filter (where status = 'skipped') as n_skipped,
        count(*) filter (where status = 'failed') as n_failed,
    from refusals
    group by run_key, file_key
),
added as (
    select
        commits.run_key,
        commits.file_key,
        sum(commit_tables.n_rows) as n_rows,
    from commits
    join commit_tables on commit_tables.commit_seq = commits.commit_seq
    where commit_tables.table_name not in ('files', 'imports', 'refusals')
    group by commits.run_key, commits.file_key
),
compared as (
    select
        tallied.run_key,
        tallied.file_key,
        tallied.commit_seq,
        unnest([
            {'number': 'skipped', 'stated': tallied.n_skipped, 'found': coalesce(refused.n_skipped, 0)},
            {'number': 'failed', 'stated': tallied.n_failed, 'found': coalesce(refused.n_failed, 0)},
            {
                'number': 'accepted, each adding a row',
                'stated': tallied.n_accepted,
                'found': greatest(least(tallied.n_accepted, coalesce(added.n_rows, 0)), 0),
            },
        ]) as sums,
    from tallied
    left join refused on refused.run_key = tallied.run_key and refused.file_key = tallied.file_key
    left join added on added.run_key = tallied.run_key and added.file_key = tallied.file_key
    union all
    select
        commits.run_key,
        commits.file_key,
        max(commits.commit_seq),
        {'number': 'sums of a file, where the run is done', 'stated': 1, 'found': 0},
    from commits
    join run_outcomes on run_outcomes.run_key = commits.run_key and run_outcomes.status = 'done'
    anti join imports on imports.run_key = commits.run_key and imports.file_key = commits.file_key
    where commits.file_key is not null
    group by commits.run_key, commits.file_key
)
select
    tso_id('run', compared.run_key) as id,
    files.path,
    compared.sums.number as number,
    compared.sums.stated as stated,
    compared.sums.found as found,
from compared
left join files on files.file_key = compared.file_key
where compared.commit_seq >= $first_seq and compared.sums.stated <> compared.sums.found
order by compared.run_key, compared.file_key, number
