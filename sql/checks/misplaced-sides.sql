-- Which sides of pairs are not answers of the stated source to the pair's own prompt, seen by the build's snapshot?
-- fault:  joined by position, one row that cannot be used shifts every later pair (open-instruct's synth_pref)
-- level:  violation
-- params: $first_seq bigint: the first commit to look at
-- rows:   one per pair and side, by build
with sides as (
    select
        pair_key,
        build_key,
        prompt_key,
        'chosen' as side,
        chosen_key as response_key,
        chosen_source_key as source_key,
    from pairs
    where commit_seq >= $first_seq
    union all
    select pair_key, build_key, prompt_key, 'rejected', rejected_key, rejected_source_key
    from pairs
    where commit_seq >= $first_seq
    union all
    select null, build_key, prompt_key, 'answer', response_key, source_key
    from build_responses
    where commit_seq >= $first_seq
),
judged as (
    select
        coalesce(tso_id('pair', sides.pair_key), tso_id('r', sides.response_key)) as id,
        tso_id('bld', sides.build_key) as build_id,
        sides.side,
        tso_id('r', sides.response_key) as response_id,
        case
            when responses.response_key is null then 'no such answer'
            when responses.prompt_key <> sides.prompt_key then 'answers another prompt'
            when responses.source_key <> sides.source_key then 'is of another source'
            when responses.commit_seq > builds.snapshot_seq then 'came after the snapshot'
        end as problem,
    from sides
    left join (
        select
            build_key,
            max(snapshot_seq) as snapshot_seq,
        from builds
        group by build_key
    ) as builds on builds.build_key = sides.build_key
    left join responses on responses.response_key = sides.response_key
)
select
    judged.id,
    judged.build_id,
    judged.side,
    judged.response_id,
    judged.problem,
from judged
where judged.problem is not null
order by judged.build_id, judged.id, judged.side
