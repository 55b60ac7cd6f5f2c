-- Which scores has an answer, in whose words?
-- params: $response_key ubigint: the answer
-- rows:   one per score, by judge, rubric, dimension and sample
select
    scores.judge,
    scores.judge_kind,
    rubrics.name as rubric,
    scores.dimension,
    scores.sample_index,
    scores.value,
    scores.reason,
    scores.parser,
    judgements.raw,
    tso_id('run', commits.run_key) as run_id,
from scores
join rubrics on rubrics.rubric_key = scores.rubric_key
join commits on commits.commit_seq = scores.commit_seq
left join judgements on judgements.judgement_key = scores.judgement_key
where scores.response_key = $response_key
order by scores.judge, rubrics.name, scores.dimension, scores.sample_index, scores.score_key
