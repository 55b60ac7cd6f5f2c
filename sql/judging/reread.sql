-- The scores as they would be read: each a row of the table scores, as if it had been there when the first was read.
-- params: $score_keys ubigint[]: the keys of the new readings
--         $judgements ubigint[]: the judgement of each
--         $dimensions varchar[]: the dimension of each
--         $values double[]: the value of each, or null
--         $reasons varchar[]: the reason of each, or null
--         $parser varchar: the parser
-- rows:   one per new reading, by key
with readings as (
    select
        unnest($score_keys::ubigint[]) as score_key,
        unnest($judgements::ubigint[]) as judgement_key,
        unnest($dimensions::varchar[]) as dimension,
        unnest($values::double[]) as value,
        unnest($reasons::varchar[]) as reason,
)
select
    readings.score_key,
    any_value(scores.judgement_key) as judgement_key,
    any_value(scores.prompt_key) as prompt_key,
    any_value(scores.source_key) as source_key,
    any_value(scores.response_key) as response_key,
    any_value(scores.judge) as judge,
    any_value(scores.judge_kind) as judge_kind,
    any_value(scores.rubric_key) as rubric_key,
    any_value(scores.dimension) as dimension,
    any_value(scores.sample_index) as sample_index,
    any_value(readings.value) as value,
    any_value(readings.reason) as reason,
    $parser::varchar as parser,
    min(scores.commit_seq) as commit_seq,
from readings
join scores on scores.judgement_key = readings.judgement_key and scores.dimension = readings.dimension
anti join scores as present on present.score_key = readings.score_key
group by readings.score_key
order by readings.score_key
