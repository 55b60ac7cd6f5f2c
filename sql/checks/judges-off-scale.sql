-- Which scores outside the scale of their rubric did the judge itself give?
-- fault:  a judge that leaves its scale pulls means; QLoRA's gave 0 of 1 to 10 where it saw no answer
-- level:  notice
-- params: $first_seq bigint: the first commit to look at
-- rows:   one per score, by answer
select
    tso_id('r', scores.response_key) as id,
    tso_id('jud', scores.judgement_key) as judgement_id,
    scores.judge,
    rubrics.name as rubric,
    scores.dimension,
    scores.value,
    rubrics.scale_min,
    rubrics.scale_max,
from scores
join rubrics on rubrics.rubric_key = scores.rubric_key
join judgements on judgements.judgement_key = scores.judgement_key
where
    scores.commit_seq >= $first_seq
    and (scores.value < rubrics.scale_min or scores.value > rubrics.scale_max)
    and list_contains(
        list_transform(
            regexp_extract_all(judgements.raw, '-?\d+(?:\.\d+)?'), lambda number: try_cast(number as double)
        ),
        scores.value
    )
order by scores.response_key, scores.judge, rubrics.name, scores.dimension, scores.judgement_key
