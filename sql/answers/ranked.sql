-- How do the answers of each prompt rank by score, the best first?
-- Of equal scores one stands in the list, by a random order: each place scores above the next.
-- params: $pool varchar: the pool's name
--         $ties varchar: several answers of one score: 'draw' one or 'skip' the prompt
--         $seed ubigint: the seed that orders equal answers
-- rows:   one per answer, by prompt and place
with levels as (
    select
        prompt_key,
        value,
        arg_min(
            response_key,
            {'place': tso_hash64(response_key, $seed::ubigint), 'response_key': response_key}
        ) as response_key,
        count(*) as n_equal,
    from candidates
    where value is not null
    group by prompt_key, value
)
select
    $pool::varchar as pool,
    levels.prompt_key,
    row_number() over (partition by levels.prompt_key order by levels.value desc)::integer as place,
    levels.response_key,
    responses.source_key,
    levels.value as score,
    $ties::varchar = 'skip' and max(levels.n_equal) over (partition by levels.prompt_key) > 1 as cut_in_tie,
from levels
join responses on responses.response_key = levels.response_key
order by levels.prompt_key, place
