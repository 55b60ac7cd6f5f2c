-- Which pool is each prompt's, so that it gives pairs to one pool only?
-- params: $first_pool varchar: the pool that takes prompts first
--         $strata varchar[]: the strata; one, without a name, where the recipe has none
--         $n_both bigint[]: how many of a stratum's prompts that serve both pools go to the first
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
),
shared as (
    select
        unnest($strata::varchar[]) as stratum,
        unnest($n_both::bigint[]) as n_both,
),
standing as (
    select
        usable.prompt_key,
        usable.serves_both,
        usable.pool,
        usable.place,
        coalesce(strata.stratum, '') as stratum,
    from usable
    left join strata on strata.prompt_key = usable.prompt_key
)
select
    standing.prompt_key,
    standing.stratum,
    case
        when not serves_both then pool
        when row_number() over (partition by serves_both, standing.stratum order by place, prompt_key) <= n_both
            then $first_pool::varchar
        else (select min(pool) from judged where pool <> $first_pool::varchar)
    end as pool,
from standing
left join shared on shared.stratum = standing.stratum
order by standing.prompt_key
