-- Which question of a rubric fits which pair of the table pairs_to_judge? Of the questions that fit both answers the first.
-- params: none
-- rows:   one per pair of answers, by prompt
select
    pairs_to_judge.first_key,
    pairs_to_judge.second_key,
    pairs_to_judge.prompt_key,
    asked.question,
    first_answer.text_key = second_answer.text_key as is_identical,
from pairs_to_judge
join responses as first_answer on first_answer.response_key = pairs_to_judge.first_key
join responses as second_answer on second_answer.response_key = pairs_to_judge.second_key
left join asked on asked.response_key = pairs_to_judge.first_key
where not (first_answer.is_empty or second_answer.is_empty)
order by pairs_to_judge.prompt_key, pairs_to_judge.first_key, pairs_to_judge.second_key
