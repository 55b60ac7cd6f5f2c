-- Which judges and policies were tuned on records, from which model, on which records, and by which run?
--
-- The records' hash is over the bytes of their files, in order.
-- params: none
-- rows:   one per model, by kind and name
select
    artefacts.kind,
    artefacts.name,
    tso_id('art', artefacts.artefact_key) as artefact_id,
    artefacts.path,
    artefacts.artefact_sha256 as sha256,
    tso_id('art', artefacts.parent_keys[1]) as parent_id,
    runs.arguments ->> '$.records' as records,
    runs.arguments ->> '$.records_sha256' as records_sha256,
    tso_id('run', runs.run_key) as run_id,
from artefacts
join commits on commits.commit_seq = artefacts.commit_seq
join runs on runs.run_key = commits.run_key
where runs.arguments ->> '$.records_sha256' is not null and len(artefacts.parent_keys) > 0
order by artefacts.kind, artefacts.name, artefacts.artefact_key
