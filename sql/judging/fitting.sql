-- Which questions of the table asked are for these answers?
-- params: $responses ubigint[]: the answers
-- rows:   one per answer and question, by these
select
    response_key,
    question,
from asked
where response_key in (select unnest($responses::ubigint[]))
order by response_key, question
