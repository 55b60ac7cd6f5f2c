-- Which corrections has an answer's score?
-- params: $response_key ubigint: the answer
-- rows:   one per correction, oldest first
select
    corrections.author,
    corrections.author_kind,
    rubrics.name as rubric,
    corrections.dimension,
    corrections.value,
    corrections.reason,
    corrections.made_at,
    tso_id('run', commits.run_key) as run_id,
from corrections
join rubrics on rubrics.rubric_key = corrections.rubric_key
join commits on commits.commit_seq = corrections.commit_seq
where corrections.response_key = $response_key
order by corrections.made_at, corrections.correction_key
