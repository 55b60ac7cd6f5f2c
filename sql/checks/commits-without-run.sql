-- Which commits, and which rows of theirs, lead to no run or no file?
-- fault:  nobody can say who put a row in, from which file, with which versions
-- level:  violation
-- params: $first_seq bigint: the first commit to look at
-- rows:   one per commit and problem, by number
select
    commits.commit_seq,
    tso_id('run', commits.run_key) as id,
    'no such run' as problem,
from commits
anti join runs on runs.run_key = commits.run_key
where commits.commit_seq >= $first_seq
union all
select
    commits.commit_seq,
    tso_id('run', commits.run_key),
    'no such file',
from commits
anti join files on files.file_key = commits.file_key
where commits.commit_seq >= $first_seq and commits.file_key is not null
union all
select distinct
    commit_tables.commit_seq,
    null,
    'rows of a commit that is not there',
from commit_tables
anti join commits on commits.commit_seq = commit_tables.commit_seq
where commit_tables.commit_seq >= $first_seq
order by commit_seq, problem
