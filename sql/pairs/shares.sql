-- How often was each source drawn, and how often was it to be expected, given who has answered the paired prompts?
-- params: $snapshot_seq bigint: the last commit that the build sees
--         $pools varchar[]: the pool of each weight
--         $sides varchar[]: its side
--         $sources ubigint[]: its source
--         $weights double[]: the weight; null where the scores decide
-- rows:   one per pool, side and source that has a weight or was drawn
with asked as (
    select
        unnest($pools::varchar[]) as pool,
        unnest($sides::varchar[]) as side,
        unnest($sources::ubigint[]) as source_key,
        unnest($weights::double[]) as weight,
),
drawn as (
    select pool, 'chosen' as side, chosen_source_key as source_key, count(*) as realised from selected group by all
    union all
    select pool, 'rejected', rejected_source_key, count(*) from selected group by all
),
-- who has answered a prompt, as a string of bits: prompts are many, sets of sources are few
places as (
    select
        source_key,
        row_number() over (order by source_key)::integer - 1 as place,
        set_bit(repeat('0', count(*) over ())::bit, place, 1) as bits,
    from (select distinct source_key from asked where weight is not null)
),
answered as (
    select
        pools.pool,
        responses.prompt_key,
        bit_or(places.bits) as sources,
    from responses
    join places on places.source_key = responses.source_key
    cross join (select distinct pool from asked where weight is not null) as pools
    anti join set_aside on set_aside.pool = pools.pool and set_aside.response_key = responses.response_key
    where responses.commit_seq <= $snapshot_seq and not responses.is_empty
    group by pools.pool, responses.prompt_key
),
sets as (
    select
        selected.pool,
        answered.sources,
        count(*) as n_pairs,
    from selected
    join answered on answered.prompt_key = selected.prompt_key and answered.pool = selected.pool
    group by selected.pool, answered.sources
),
offered as (
    select
        sets.pool,
        asked.side,
        asked.source_key,
        sets.n_pairs,
        asked.weight / sum(asked.weight) over (partition by sets.pool, asked.side, sets.sources) as chance,
    from sets
    join asked on asked.pool = sets.pool and asked.weight is not null
    join places on places.source_key = asked.source_key and get_bit(sets.sources, places.place) = 1
),
expectation as (
    select
        pool,
        side,
        source_key,
        round(fsum(chance * n_pairs), 6) as expected,
    from offered
    group by pool, side, source_key
)
select
    coalesce(asked.pool, drawn.pool) as pool,
    coalesce(asked.side, drawn.side) as side,
    coalesce(asked.source_key, drawn.source_key) as source_key,
    asked.weight as requested,
    case when asked.weight is not null then coalesce(expectation.expected, 0) end as expected,
    coalesce(drawn.realised, 0) as realised,
from asked
full join drawn on drawn.pool = asked.pool and drawn.side = asked.side and drawn.source_key = asked.source_key
left join expectation
    on expectation.pool = asked.pool and expectation.side = asked.side and expectation.source_key = asked.source_key
order by pool, side, requested desc nulls last, source_key
