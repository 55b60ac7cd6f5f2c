-- Which policy stands in a cell now?
-- params: $source ubigint: the cell's key
-- rows:   one, or none where no stage has registered one
select
    artefact_sha256,
from artefacts
where kind = 'policy' and source_key = $source
order by commit_seq desc, artefact_key
limit 1
