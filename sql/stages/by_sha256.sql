-- Which artefact are these weights?
-- params: $sha256 varchar: the hash over configuration and weights, in hex
--         $folder varchar: the folder that they were found in
-- rows:   one per name that they have: that of this folder first, then what was made from another, then the oldest
select
    artefacts.artefact_key,
from artefacts
where artefacts.artefact_sha256 = $sha256 and artefacts.kind in ('policy', 'judge')
order by
    artefacts.path = $folder desc,
    len(artefacts.parent_keys) > 0 desc,
    artefacts.commit_seq,
    artefacts.artefact_key
