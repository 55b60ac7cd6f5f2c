-- Which scores and corrections lie outside the scale of their rubric, and are not the judge's own number either?
-- fault:  a failure stored as a number: AlignBench and FastChat give -1, UltraFeedback once turned a 1 into a 10
-- level:  violation
-- params: $first_seq bigint: the first commit to look at
-- rows:   one per score or correction, by answer
with valued as (
    select response_key, judge, rubric_key, dimension, value, judgement_key
    from scores
    where commit_seq >= $first_seq
    union all
    select response_key, author, rubric_key, dimension, value, null
    from corrections
    where commit_seq >= $first_seq
)
select
    tso_id('r', valued.response_key) as id,
    valued.judge,
    rubrics.name as rubric,
    valued.dimension,
    valued.value,
    rubrics.scale_min,
    rubrics.scale_max,
from valued
join rubrics on rubrics.rubric_key = valued.rubric_key
left join judgements on judgements.judgement_key = valued.judgement_key
where
    (valued.value < rubrics.scale_min or valued.value > rubrics.scale_max)
    and not coalesce(
        list_contains(
            list_transform(
                regexp_extract_all(judgements.raw, '-?\d+(?:\.\d+)?'), lambda number: try_cast(number as double)
            ),
            valued.value
        ),
        false
    )
order by valued.response_key, valued.judge, rubrics.name, valued.dimension, valued.value
