-- Which rows were refused, why, and what does one of them say?
-- params: $run varchar = null: only this run, by its id
-- rows:   one per run, file, status and reason, most frequent first, with its first line
with counted as (
    select
        run_key,
        file_key,
        status,
        reason,
        count(*) as n_rows,
        min(line) as first_line,
        min_by(detail, line) as first_detail,
    from refusals
    where $run::varchar is null or run_key = tso_key('run', $run::varchar)
    group by all
)
select
    tso_id('run', counted.run_key) as run_id,
    files.path,
    counted.status,
    counted.reason,
    counted.n_rows,
    counted.first_line,
    counted.first_detail,
from counted
join files on files.file_key = counted.file_key
order by counted.n_rows desc, files.path, counted.status, counted.reason, counted.run_key
