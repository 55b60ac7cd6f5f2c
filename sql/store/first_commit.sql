-- Which is the first commit of a run?
-- params: $run ubigint: the run's key
-- rows:   one; null where there is no such run
select min(commits.commit_seq) as commit_seq
from commits
where commits.run_key = $run
