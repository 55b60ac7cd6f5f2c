-- Which files were imported, by which run, and what became of their rows?
--
-- Accepted, present, skipped and failed add up to the rows of the file.
-- params: none
-- rows:   one per file and import, by path, the first import first
select
    files.path,
    files.file_sha256,
    files.n_bytes,
    imports.format,
    imports.n_accepted + imports.n_present + imports.n_skipped + imports.n_failed as n_rows,
    imports.n_accepted,
    imports.n_present,
    imports.n_skipped,
    imports.n_failed,
    tso_id('run', runs.run_key) as run_id,
    runs.started_at,
from imports
join files on files.file_key = imports.file_key
join runs on runs.run_key = imports.run_key
order by files.path, imports.commit_seq, imports.format
