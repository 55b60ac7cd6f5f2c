-- Which are the best answers of each prompt, or all from a score on?
-- params: $pool varchar: the pool's name
--         $min_score double: the least score that counts; null for any
--         $n_keep bigint: how many a prompt gives at most; null for all
--         $ties varchar: more answers of the last score than there is room for: 'draw' or 'skip' the prompt
--         $seed ubigint: the seed that orders equal answers
-- rows:   one per answer, by prompt and place
with placed as (
    select
        prompt_key,
        response_key,
        value,
        row_number() over (
            partition by prompt_key
            order by value desc, tso_hash64(response_key, $seed::ubigint), response_key
        ) as place,
        rank() over (partition by prompt_key order by value desc) as rank,
        count(*) over (partition by prompt_key, value) as n_equal,
    from candidates
    where value is not null and ($min_score::double is null or value >= $min_score::double)
)
select
    $pool::varchar as pool,
    placed.prompt_key,
    placed.place::integer as place,
    placed.response_key,
    responses.source_key,
    placed.value as score,
    $ties::varchar = 'skip' and rank <= $n_keep::bigint and rank + n_equal - 1 > $n_keep::bigint as cut_in_tie,
from placed
join responses on responses.response_key = placed.response_key
where $n_keep::bigint is null or placed.place <= $n_keep::bigint
order by placed.prompt_key, placed.place
