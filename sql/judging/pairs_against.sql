-- Which answers of the table answers_to_judge are to be compared with the answer of one source to the same prompt?
-- params: $against ubigint: the source; of several answers its first
-- rows:   one per pair of answers, by prompt
with baseline as (
    select prompt_key, arg_min(response_key, {'sample_index': sample_index, 'response_key': response_key}) as response_key
    from responses
    where source_key = $against and not is_empty
    group by prompt_key
)
select
    answers_to_judge.response_key as first_key,
    baseline.response_key as second_key,
    answers_to_judge.prompt_key,
from answers_to_judge
join baseline on baseline.prompt_key = answers_to_judge.prompt_key
where answers_to_judge.source_key <> $against
order by answers_to_judge.prompt_key, first_key, second_key
