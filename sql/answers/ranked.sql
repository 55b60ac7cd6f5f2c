-- How do the answers of each prompt rank by score, the best first?
-- Of equal texts the best scored counts, and of equal scores one, by a random order: each place scores above the next.
-- params: $pool varchar: the pool's name
--         $ties varchar: several answers of one score: 'draw' one or 'skip' the prompt
--         $seed ubigint: the seed that orders equal answers
-- rows:   one per answer, by prompt and place
with standing as (
    select
        candidates.prompt_key,
        candidates.response_key,
        responses.source_key,
        candidates.value,
        tso_hash64(candidates.response_key, $seed::ubigint) as place,
    from candidates
    join responses on responses.response_key = candidates.response_key
    where candidates.value is not null
    qualify
        row_number() over (
            partition by candidates.prompt_key, responses.text_key
            order by candidates.value desc, place, candidates.response_key
        ) = 1
),
counted as (
    select
        prompt_key,
        response_key,
        source_key,
        value,
        count(*) over (partition by prompt_key, value) as n_equal,
    from standing
    qualify row_number() over (partition by prompt_key, value order by place, response_key) = 1
)
select
    $pool::varchar as pool,
    prompt_key,
    row_number() over (partition by prompt_key order by value desc)::integer as place,
    response_key,
    source_key,
    value as score,
    $ties::varchar = 'skip' and max(n_equal) over (partition by prompt_key) > 1 as cut_in_tie,
from counted
order by prompt_key, place
