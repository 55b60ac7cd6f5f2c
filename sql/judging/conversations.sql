-- Which answers of the source came before, and which references are there for each turn?
-- params: $responses ubigint[]: the answers
-- rows:   one per answer and turn, the answer itself last
with recursive said as (
    select response_key, response_key as turn_key, 0 as back
    from responses
    where response_key in (select unnest($responses::ubigint[]))
    union all
    select said.response_key, responses.previous_key, said.back + 1
    from said
    join responses on responses.response_key = said.turn_key
    where responses.previous_key is not null and said.back < 64
),
referred as (
    select prompt_key, arg_min(text, {'author': author, 'reference_key': reference_key}) as text
    from prompt_references
    group by prompt_key
)
select
    said.response_key,
    said.back,
    turns.text,
    referred.text as reference,
from said
join responses as turns on turns.response_key = said.turn_key
left join referred on referred.prompt_key = turns.prompt_key
order by said.response_key, said.back desc
