-- Which pairs fill the pools' quotas? First rounds first, and within a round in the order of a hash.
-- params: $pools varchar[]: the pools
--         $quotas bigint[]: how many pairs each gives
--         $seed ubigint: the seed that orders prompts
-- rows:   one per pair
with quota as (
    select
        unnest($pools::varchar[]) as pool,
        unnest($quotas::bigint[]) as n_pairs,
),
usable as (
    select
        judged.*,
    from judged
    join assigned on assigned.prompt_key = judged.prompt_key and assigned.pool = judged.pool
    where judged.reason is null
),
-- most pools give all they have, and need no ranking
cut as (
    select
        usable.pool,
        quota.n_pairs,
    from usable
    join quota on quota.pool = usable.pool
    group by usable.pool, quota.n_pairs
    having count(*) > quota.n_pairs
),
within as (
    select
        usable.*,
    from usable
    semi join quota on quota.pool = usable.pool
    anti join cut on cut.pool = usable.pool
    union all
    select
        usable.*,
    from usable
    join cut on cut.pool = usable.pool
    qualify
        row_number() over (
            partition by usable.pool
            order by usable.round, tso_hash64(usable.prompt_key, $seed::ubigint), usable.prompt_key
        ) <= cut.n_pairs
)
select
    within.*,
from within
order by within.pool, within.prompt_key, within.round
