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
)
select
    responses.source_key,
    count(distinct responses.prompt_key) as n_prompts,
    count(*) as n_answers,
    count(*) filter (where responses.is_empty) as n_empty,
    count(*) filter (where responses.commit_seq < registered.commit_seq) as n_stale,
from responses
left join registered on registered.source_key = responses.source_key
where
    $dataset::varchar is null
    or responses.prompt_key in (select prompt_key from prompt_origins where dataset = $dataset::varchar)
group by responses.source_key
order by responses.source_key
