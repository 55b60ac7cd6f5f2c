-- Which prompt do these answers answer, what does their text hash to, and who gave them?
-- params: $keys ubigint[]: the answers
-- rows:   one per answer that is there, by key
with known as (
    select response_key, prompt_key, text_key, source_key from responses
    union
    select response_key, prompt_key, text_key, source_key from shown_responses
)
select
    known.response_key,
    known.prompt_key,
    known.text_key,
    known.source_key,
from known
semi join (select unnest($keys::ubigint[]) as response_key) as asked using (response_key)
order by known.response_key
