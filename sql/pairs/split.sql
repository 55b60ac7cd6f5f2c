-- Which prompts are held out, and which minibatch has each other prompt?
-- Dealt in turn along a hash, pool after pool, so that minibatches differ by at most one prompt, also within a pool.
-- params: $n_held_out bigint: how many prompts are held out
--         $n_minibatches integer: how many minibatches the others fill
--         $held_out_seed ubigint: the seed that orders prompts for holding out
--         $minibatch_seed ubigint: the seed that orders prompts for the minibatches
-- rows:   one per prompt with a pair
with prompts_of_pool as (
    select distinct
        prompt_key,
        pool,
    from selected
),
placed as (
    select
        prompt_key,
        pool,
        row_number() over (order by tso_hash64(prompt_key, $held_out_seed::ubigint), prompt_key) <= $n_held_out as held_out,
    from prompts_of_pool
)
select
    prompt_key,
    case when held_out then 'held_out' else 'train' end as split,
    case
        when not held_out then 1 + (
            row_number() over (
                partition by held_out order by pool, tso_hash64(prompt_key, $minibatch_seed::ubigint), prompt_key
            ) - 1
        ) % $n_minibatches
    end::integer as minibatch,
from placed
order by prompt_key
