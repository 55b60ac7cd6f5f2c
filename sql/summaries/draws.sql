-- How often does each replicate of a bootstrap take each block of prompts: a Poisson number with mean 1, by hash?
-- Replicates count from 1. A block is the prompts whose keys leave the same rest by 1024: a draw then costs the same for
-- a million prompts as for a thousand.
-- params: $n_replicates integer: how many replicates
--         $seed ubigint: of the bootstrap
-- rows:   one per replicate and block that it takes at all
with uniform as (
    select
        replicates.replicate::integer as replicate,
        blocks.block,
        tso_u01(tso_hash64(replicates.replicate * 1024 + blocks.block, $seed::ubigint)) as u,
    from unnest(range(1, $n_replicates::integer + 1)) as replicates (replicate)
    cross join unnest(range(1024)) as blocks (block)
)
select
    replicate,
    block,
    1
        + (u >= 0.7357588823428847)::integer
        + (u >= 0.9196986029286058)::integer
        + (u >= 0.9810118431238462)::integer
        + (u >= 0.9963401531726563)::integer
        + (u >= 0.9994058151824183)::integer
        + (u >= 0.9999167588507119)::integer
        + (u >= 0.9999897508033253)::integer as weight,
from uniform
where u >= 0.36787944117144233
order by replicate, block
