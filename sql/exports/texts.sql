-- Which texts have the answers of the rows that can be written? All in one look at the store's texts, which are many more.
-- params: none
-- rows:   one per answer, by key
select
    responses.response_key,
    responses.text,
from responses
semi join (
    select unnest(judged.answers) as response_key
    from judged
    where judged.reason is null
) as wanted on wanted.response_key = responses.response_key
order by responses.response_key
