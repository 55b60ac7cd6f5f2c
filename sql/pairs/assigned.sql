-- Which pool is each prompt's, so that it gives pairs to one pool only?
-- params: $first_pool varchar: the pool that takes prompts first
--         $n_both integer: how many of the prompts that serve both pools go to it
--         $seed ubigint: the seed that orders them
-- rows:   one per prompt that can give a pair
with usable as (
    select
        prompt_key,
        min(pool) <> max(pool) as serves_both,
        min(pool) as pool,
        tso_hash64(prompt_key, $seed::ubigint) as place,
    from judged
    where reason is null
    group by prompt_key
)
select
    prompt_key,
    case
        when not serves_both then pool
        when row_number() over (partition by serves_both order by place, prompt_key) <= $n_both then $first_pool::varchar
        else (select min(pool) from judged where pool <> $first_pool::varchar)
    end as pool,
from usable
order by prompt_key
