-- Which are the best answers of each prompt, or all from a score on? Of equal texts the best scored counts.
-- params: $pool varchar: the pool's name
--         $min_score double: the least score that counts; null for any
--         $n_keep bigint: how many a prompt gives at most; null for all
--         $ties varchar: more answers of the last score than there is room for: 'draw' or 'skip' the prompt
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
    where candidates.value is not null and ($min_score::double is null or candidates.value >= $min_score::double)
    qualify
        row_number() over (
            partition by candidates.prompt_key, responses.text_key
            order by candidates.value desc, place, candidates.response_key
        ) = 1
),
placed as (
    select
        prompt_key,
        response_key,
        source_key,
        value,
        row_number() over (partition by prompt_key order by value desc, place, response_key) as place,
        rank() over (partition by prompt_key order by value desc) as rank,
        count(*) over (partition by prompt_key, value) as n_equal,
    from standing
)
select
    $pool::varchar as pool,
    prompt_key,
    place::integer as place,
    response_key,
    source_key,
    value as score,
    $ties::varchar = 'skip' and rank <= $n_keep::bigint and rank + n_equal - 1 > $n_keep::bigint as cut_in_tie,
from placed
where $n_keep::bigint is null or place <= $n_keep::bigint
order by prompt_key, place
