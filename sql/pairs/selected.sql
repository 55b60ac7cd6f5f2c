-- Which pairs fill the pools' quotas? First rounds first, and within a round in the order of a hash.
-- params: $pools varchar[]: the pools
--         $quotas bigint[]: how many pairs each gives
--         $seed ubigint: the seed that orders prompts
-- rows:   one per pair
with quota as (
    select
        unnest($pools::varchar[]) as pool,
        unnest($quotas::bigint[]) as n_pairs,
)
select
    judged.*,
from judged
join assigned on assigned.prompt_key = judged.prompt_key and assigned.pool = judged.pool
join quota on quota.pool = judged.pool
where judged.reason is null
qualify
    row_number() over (
        partition by judged.pool
        order by judged.round, tso_hash64(judged.prompt_key, $seed::ubigint), judged.prompt_key
    ) <= quota.n_pairs
order by judged.pool, judged.prompt_key, judged.round
