-- Which policies did nobody train here: the bases of stages and of tuning?
-- params: none
-- rows:   one per weights, under their newest name, by name
select
    artefacts.artefact_key,
    artefacts.path,
    artefacts.name,
from artefacts
where artefacts.kind = 'policy' and len(artefacts.parent_keys) = 0
qualify row_number() over (partition by artefacts.artefact_sha256 order by artefacts.commit_seq desc) = 1
order by artefacts.name, artefacts.artefact_key
