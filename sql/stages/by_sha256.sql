-- Which artefact are these weights?
-- params: $sha256 varchar: the hash over configuration and weights, in hex
-- rows:   one per name that they have, the oldest first
select
    artefacts.artefact_key,
from artefacts
where artefacts.artefact_sha256 = $sha256 and artefacts.kind in ('policy', 'judge')
order by artefacts.commit_seq, artefacts.artefact_key
