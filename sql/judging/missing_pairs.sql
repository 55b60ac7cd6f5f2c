-- Which comparisons of the table pairs_asked has the judge not made yet, in either order?
-- params: $judge varchar: the judge
--         $rubrics ubigint[]: the rubric's key of each question
--         $n_samples integer: judgements of each pair and order
-- rows:   one per pair, order and sample, both orders of a pair together
with orders as (
    select first_key as response_key, second_key as other_key, prompt_key, question, first_key, 1 as place
    from pairs_asked
    where question is not null and not is_identical
    union all
    select second_key, first_key, prompt_key, question, first_key, 2
    from pairs_asked
    where question is not null and not is_identical
)
select
    orders.response_key,
    orders.other_key,
    orders.prompt_key,
    orders.question,
    samples.sample_index::integer as sample_index,
from orders
cross join range($n_samples::integer) as samples(sample_index)
anti join (
    select response_key, other_key, rubric_key, sample_index from judgements where judge = $judge
) as given
    on given.response_key = orders.response_key
    and given.other_key = orders.other_key
    and given.rubric_key = ($rubrics::ubigint[])[orders.question]
    and given.sample_index = samples.sample_index
order by orders.prompt_key, orders.first_key, orders.place, orders.response_key, orders.other_key, samples.sample_index
