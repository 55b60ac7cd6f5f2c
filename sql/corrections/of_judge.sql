-- Which scores has a judge given, as corrections: the mean over its samples, its first words as the reason?
-- A correction's time is when the first of the scores was stored, so asking twice gives the same corrections.
-- params: $judge varchar: the judge
--         $rubric varchar: the rubric's name; null for all
-- rows:   one per answer, rubric and dimension, by key
select
    scores.prompt_key,
    scores.response_key,
    scores.rubric_key,
    scores.dimension,
    sum(round(scores.value * 1000000)::bigint)::double / count(*) / 1000000 as value,
    arg_min(judgements.raw, {'sample_index': scores.sample_index, 'score_key': scores.score_key}) as reason,
    min(commits.committed_at) as made_at,
from tso_scores() as scores
join rubrics on rubrics.rubric_key = scores.rubric_key
join commits on commits.commit_seq = scores.commit_seq
left join judgements on judgements.judgement_key = scores.judgement_key
where
    scores.value is not null
    and scores.judge = $judge
    and ($rubric::varchar is null or rubrics.name = $rubric::varchar)
group by scores.prompt_key, scores.response_key, scores.rubric_key, scores.dimension
order by scores.response_key, scores.rubric_key, scores.dimension
