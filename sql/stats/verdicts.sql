-- Which score did each judgement give, and from which could none be read?
-- params: none
-- rows:   one per score of a judge, with a value or without
select
    sources.label as source,
    scores.judge,
    rubrics.name as rubric,
    scores.dimension,
    scores.prompt_key,
    tso_id('p', scores.prompt_key) as prompt_id,
    tso_id('r', scores.response_key) as response_id,
    scores.sample_index,
    scores.value as score,
    scores.value is null as is_unparsed,
from tso_scores() as scores
join sources on sources.source_key = scores.source_key
join rubrics on rubrics.rubric_key = scores.rubric_key
order by source, judge, rubric, dimension, prompt_id, response_id, sample_index, score
