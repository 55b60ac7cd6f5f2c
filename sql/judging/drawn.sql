-- Which answers of the table answers_to_judge are tried by a self-test? One a prompt, prompts at random.
-- params: $n integer: how many
--         $seed ubigint: the seed of the random order
-- rows:   one per answer, in the random order
with of_prompt as (
    select
        prompt_key,
        arg_min(response_key, tso_hash64(response_key, $seed::ubigint)) as response_key,
    from answers_to_judge
    where not is_empty
    group by prompt_key
)
select response_key
from of_prompt
order by tso_hash64(prompt_key, $seed::ubigint), response_key
limit $n::integer
