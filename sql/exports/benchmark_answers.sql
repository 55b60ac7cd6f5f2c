-- Which answers has a source to the questions of a benchmark?
-- params: $source varchar: the source's label
--         $dataset varchar: the data set of the questions, or a tag that they have
-- rows:   one per answer and question, by question
select
    origins.external_id as question_id,
    origins.dataset,
    prompts.messages,
    tso_id('r', responses.response_key) as response_id,
    tso_id('r', responses.previous_key) as previous_id,
    responses.sample_index,
    responses.text,
    responses.is_empty,
    responses.external_id,
    try_cast(json_extract_string(settings.body, '$.token_len') as integer) as token_len,
    epoch(commits.committed_at)::bigint as stored_at,
from (
    select distinct
        prompt_origins.prompt_key,
        prompt_origins.external_id,
        prompt_origins.dataset,
    from prompt_origins
    where prompt_origins.dataset = $dataset or list_contains(prompt_origins.tags, $dataset)
) as origins
join prompts on prompts.prompt_key = origins.prompt_key
join responses on responses.prompt_key = origins.prompt_key
join sources on sources.source_key = responses.source_key
join commits on commits.commit_seq = responses.commit_seq
left join settings on settings.settings_key = responses.settings_key
where sources.label = $source
order by
    origins.dataset,
    try_cast(origins.external_id as bigint) nulls last,
    origins.external_id,
    prompts.text,
    responses.sample_index,
    responses.response_key
