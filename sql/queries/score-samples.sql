-- How many samples has each answer's score, with which mean, and how far do they lie apart?
-- params: $judge varchar = null: only this judge
--         $rubric varchar = null: only this rubric
-- rows:   one per answer, judge, rubric and dimension, those whose samples lie apart most first
select
    tso_id('r', scores.response_key) as response_id,
    sources.label as source,
    scores.judge,
    rubrics.name as rubric,
    scores.dimension,
    count(scores.value) as n_scores,
    count(*) - count(scores.value) as n_without,
    favg(scores.value) as mean,
    stddev_samp(scores.value) as sd,
from tso_scores() as scores
join rubrics on rubrics.rubric_key = scores.rubric_key
join sources on sources.source_key = scores.source_key
where
    ($judge::varchar is null or scores.judge = $judge::varchar)
    and ($rubric::varchar is null or rubrics.name = $rubric::varchar)
group by scores.response_key, sources.label, scores.judge, rubrics.name, scores.dimension
order by sd desc nulls last, response_id, scores.judge, rubric, scores.dimension
