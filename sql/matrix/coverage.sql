-- How many prompts has each source answered, and how many of its answers are empty or older than its policy?
-- params: $dataset varchar: the data set; null for all
-- rows:   one per source that has answered, by key
with registered as (
    select
        source_key,
        max(commit_seq) as commit_seq,
    from artefacts
    where kind = 'policy' and source_key is not null
    group by source_key
),
-- the same words may have come again after a policy was registered
again as (
    select distinct
        calls.response_key,
    from calls
    join responses on responses.response_key = calls.response_key
    join registered on registered.source_key = responses.source_key
    where calls.task = 'generate' and calls.failure is null and calls.commit_seq >= registered.commit_seq
),
asked as not materialized (
    select
        responses.response_key,
        responses.source_key,
        responses.prompt_key,
        responses.is_empty,
        responses.commit_seq,
    from responses
    where
        $dataset::varchar is null
        or responses.prompt_key in (select prompt_key from prompt_origins where dataset = $dataset::varchar)
),
-- who has answered a prompt, as a string of bits: prompts are many, sets of sources are few
places as (
    select
        source_key,
        row_number() over (order by source_key)::integer - 1 as place,
        set_bit(repeat('0', count(*) over ())::bit, place, 1) as bits,
    from (select distinct source_key from sources)
),
answered as (
    select
        asked.prompt_key,
        bit_or(places.bits) as sources,
    from asked
    join places on places.source_key = asked.source_key
    group by asked.prompt_key
),
sets as (
    select
        sources,
        count(*) as n_prompts,
    from answered
    group by sources
),
prompts_of_source as (
    select
        places.source_key,
        sum(sets.n_prompts)::bigint as n_prompts,
    from places
    join sets on get_bit(sets.sources, places.place) = 1
    group by places.source_key
)
select
    asked.source_key,
    any_value(prompts_of_source.n_prompts) as n_prompts,
    count(*) as n_answers,
    count(*) filter (where asked.is_empty) as n_empty,
    count(*) filter (where asked.commit_seq < registered.commit_seq and again.response_key is null) as n_stale,
from asked
join prompts_of_source on prompts_of_source.source_key = asked.source_key
left join registered on registered.source_key = asked.source_key
left join again on again.response_key = asked.response_key
group by asked.source_key
order by asked.source_key
