-- What do answers say, and to what?
-- params: $responses ubigint[]: the answers
-- rows:   one per answer, by key
select
    responses.response_key,
    responses.prompt_key,
    responses.source_key,
    prompts.messages,
    responses.text,
    coalesce(
        (
            select list_distinct(flatten(list(prompt_origins.tags)))
            from prompt_origins
            where prompt_origins.prompt_key = responses.prompt_key
        ),
        []
    ) as tags,
from responses
join prompts on prompts.prompt_key = responses.prompt_key
where responses.response_key in (select unnest($responses::ubigint[]))
order by responses.response_key
