-- Which judgements of these answers has the judge given?
-- params: $judge varchar: the judge
--         $responses ubigint[]: the answers
-- rows:   one per judgement, by answer, rubric and sample
select
    response_key,
    rubric_key,
    sample_index,
from judgements
where judge = $judge and response_key in (select unnest($responses::ubigint[]))
order by response_key, rubric_key, sample_index
