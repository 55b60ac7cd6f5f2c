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
),
usable as (
    select
        judged.*,
        assigned.stratum,
    from judged
    join assigned on assigned.prompt_key = judged.prompt_key and assigned.pool = judged.pool
    where judged.reason is null
),
-- most pools give all they have, and need no ranking
cut as (
    select
        usable.pool,
        usable.stratum,
        quota.n_pairs,
    from usable
    join quota on quota.pool = usable.pool and quota.stratum = usable.stratum
    group by usable.pool, usable.stratum, quota.n_pairs
    having count(*) > quota.n_pairs
),
within as (
    select
        usable.*,
    from usable
    semi join quota on quota.pool = usable.pool and quota.stratum = usable.stratum
    anti join cut on cut.pool = usable.pool and cut.stratum = usable.stratum
    union all
    select
        usable.*,
    from usable
    join cut on cut.pool = usable.pool and cut.stratum = usable.stratum
    qualify
        row_number() over (
            partition by usable.pool, usable.stratum
            order by usable.round, tso_hash64(usable.prompt_key, $seed::ubigint), usable.prompt_key
        ) <= cut.n_pairs
)
select
    within.*,
from within
order by within.pool, within.prompt_key, within.round
