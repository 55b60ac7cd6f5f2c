-- Where does an answer come from?
-- params: $response_key ubigint: the answer
-- rows:   one
select
    tso_id('r', responses.response_key) as response_id,
    sources.label as source,
    sources.kind as source_kind,
    sources.family,
    sources.version,
    sources.size_b as size,
    responses.text,
    responses.sample_index,
    responses.seed,
    responses.finish_reason,
    settings.body as settings,
    tso_id('run', runs.run_key) as run_id,
    runs.command,
    runs.started_at,
    runs.versions,
    files.path as file,
    files.file_sha256,
from responses
join sources on sources.source_key = responses.source_key
join commits on commits.commit_seq = responses.commit_seq
join runs on runs.run_key = commits.run_key
left join files on files.file_key = commits.file_key
left join settings on settings.settings_key = responses.settings_key
where responses.response_key = $response_key
order by response_id
