-- Which pairs fill the quotas of pools and strata? First rounds first, and within a round in the order of a hash.
-- params: $pools varchar[]: the pool of each quota
--         $strata varchar[]: its stratum; empty where the recipe has none
--         $quotas bigint[]: how many pairs it is
--         $seed ubigint: the seed that orders prompts
-- rows:   one per pair
with quota as (
    select
        unnest($pools::varchar[]) as pool,
        unnest($strata::varchar[]) as stratum,
        unnest($quotas::bigint[]) as n_pairs,
)
select
    judged.*,
    assigned.stratum,
from judged
join assigned on assigned.prompt_key = judged.prompt_key and assigned.pool = judged.pool
join quota on quota.pool = judged.pool and quota.stratum = assigned.stratum
where judged.reason is null
qualify
    row_number() over (
        partition by judged.pool, assigned.stratum
        order by judged.round, tso_hash64(judged.prompt_key, $seed::ubigint), judged.prompt_key
    ) <= quota.n_pairs
order by judged.pool, judged.prompt_key, judged.round
