-- Which answer is best on each prompt, and which second best? In round i it is the i-th best against the next.
-- Answers of equal scores share a rank, and one of them, by a random order, stands for it.
-- params: $pool varchar: the pool's name
--         $n_rounds integer: how many pairs a prompt may give
--         $ties varchar: several answers of a rank: 'draw' one or 'skip' the pair
--         $seed ubigint: the seed that orders equal answers
-- rows:   one per eligible prompt and round
with ranks as (
    select
        prompt_key,
        arg_min(
            response_key,
            {'place': tso_hash64(response_key, $seed::ubigint), 'response_key': response_key}
        ) as response_key,
        count(*) as n_equal,
        row_number() over (partition by prompt_key order by value desc) as rank,
    from candidates
    where value is not null
    group by prompt_key, value
),
drawn as (
    select
        upper.prompt_key,
        upper.rank as round,
        upper.response_key as chosen_key,
        lower.response_key as rejected_key,
        upper.n_equal > 1 or lower.n_equal > 1 as tied,
    from ranks as upper
    join ranks as lower on lower.prompt_key = upper.prompt_key and lower.rank = upper.rank + 1
    where upper.rank <= $n_rounds
)
select
    $pool::varchar as pool,
    lacking.prompt_key,
    coalesce(drawn.round, 1)::integer as round,
    drawn.chosen_key,
    drawn.rejected_key,
    case
        when lacking.reason is not null then lacking.reason
        when drawn.chosen_key is null then 'tie'
        when drawn.tied and $ties::varchar = 'skip' then 'tie'
    end as reason,
from lacking
left join drawn on drawn.prompt_key = lacking.prompt_key
order by lacking.prompt_key, round
