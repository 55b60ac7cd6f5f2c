-- Which numbers that a build states are not those of its rows?
-- fault:  a build that was cut in the middle, or shares and yields that are reported but were never drawn
-- level:  violation
-- params: $first_seq bigint: the first commit to look at
-- rows:   one per build and number, by build
with drawn as (
    select
        build_key,
        count(*) as n_pairs,
        count(distinct prompt_key) as n_prompts,
        bit_xor(pair_key) as pairs_xor,
    from pairs
    group by build_key
),
listed as (
    select
        build_key,
        count(*) as n_answers,
        count(distinct prompt_key) as n_prompts,
    from build_responses
    group by build_key
),
used as (
    select build_key, prompt_key, minibatch, 1 as n_pairs from pairs
    union all
    select build_key, prompt_key, minibatch, 0 from build_responses  -- answers are no pairs
),
filled as (
    select
        build_key,
        minibatch,
        count(distinct prompt_key) as n_prompts,
        sum(n_pairs) as n_pairs,
    from used
    where minibatch is not null
    group by build_key, minibatch
),
paired as (
    select
        build_key,
        count(*) as n_prompts,
    from build_prompts
    where outcome = 'paired'
    group by build_key
),
sides as (
    select build_key, pool, 'chosen' as side, chosen_source_key as source_key, count(*) as realised
    from pairs
    group by all
    union all
    select build_key, pool, 'rejected', rejected_source_key, count(*)
    from pairs
    group by all
),
stated as (
    select builds.build_key, 'n_pairs' as number, builds.n_pairs as stated, coalesce(drawn.n_pairs, 0) as found
    from builds
    left join drawn on drawn.build_key = builds.build_key
    anti join listed on listed.build_key = builds.build_key
    union all
    select
        builds.build_key,
        'n_prompts',
        builds.n_prompts,
        coalesce(drawn.n_prompts, 0) + coalesce(listed.n_prompts, 0),
    from builds
    left join drawn on drawn.build_key = builds.build_key
    left join listed on listed.build_key = builds.build_key
    union all
    select builds.build_key, 'pairs_xor', builds.pairs_xor, coalesce(drawn.pairs_xor, 0)
    from builds
    left join drawn on drawn.build_key = builds.build_key
    anti join listed on listed.build_key = builds.build_key
    union all
    select
        coalesce(minibatches.build_key, filled.build_key),
        'n_prompts of minibatch ' || coalesce(minibatches.minibatch, filled.minibatch),
        coalesce(minibatches.n_prompts, 0),
        coalesce(filled.n_prompts, 0),
    from minibatches
    full join filled on filled.build_key = minibatches.build_key and filled.minibatch = minibatches.minibatch
    union all
    select
        minibatches.build_key,
        'n_pairs of minibatch ' || minibatches.minibatch,
        minibatches.n_pairs,
        coalesce(filled.n_pairs, 0),
    from minibatches
    left join filled on filled.build_key = minibatches.build_key and filled.minibatch = minibatches.minibatch
    union all
    select builds.build_key, 'prompts that ended as paired', coalesce(paired.n_prompts, 0), builds.n_prompts
    from builds
    left join paired on paired.build_key = builds.build_key
    union all
    select
        coalesce(build_shares.build_key, sides.build_key),
        format('drawn from {} as {} in pool {}', sources.label, build_shares.side, build_shares.pool),
        coalesce(build_shares.realised, 0),
        coalesce(sides.realised, 0),
    from (from build_shares anti join listed on listed.build_key = build_shares.build_key) as build_shares
    full join sides
        on sides.build_key = build_shares.build_key
        and sides.pool = build_shares.pool
        and sides.side = build_shares.side
        and sides.source_key = build_shares.source_key
    left join sources on sources.source_key = coalesce(build_shares.source_key, sides.source_key)
)
select distinct
    tso_id('bld', stated.build_key) as id,
    stated.number,
    stated.stated,
    stated.found,
from stated
semi join builds on builds.build_key = stated.build_key and builds.commit_seq >= $first_seq
where stated.stated <> stated.found
order by id, stated.number
