-- Which questions has a benchmark, and which of them has a source answered?
-- params: $source varchar: the source's label
--         $dataset varchar: the data set of the questions, or a tag that they have
-- rows:   one per question and id in its data set, by id
select
    origins.external_id as question_id,
    origins.prompt_key in (
        select responses.prompt_key
        from responses
        join sources on sources.source_key = responses.source_key
        where sources.label = $source
    ) as is_answered,
from (
    select distinct
        prompt_origins.prompt_key,
        prompt_origins.external_id,
        prompt_origins.dataset,
    from prompt_origins
    where prompt_origins.dataset = $dataset or list_contains(prompt_origins.tags, $dataset)
) as origins
order by origins.external_id, origins.prompt_key
