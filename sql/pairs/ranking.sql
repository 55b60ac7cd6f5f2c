-- How do the candidates of a prompt rank by score, and which random numbers order equal ones and opponents?
-- params: $chosen_seed ubigint: the seed that orders equal answers for the chosen side
--         $rejected_seed ubigint: the seed that orders equal answers, or opponents, for the rejected side
-- rows:   one per candidate, the best first; answers without a score last, without a rank
select
    sources.label as source,
    tso_id('r', candidates.response_key) as response_id,
    candidates.n_answers,
    candidates.value as score,
    case
        when candidates.value is not null then rank() over (order by candidates.value desc nulls last)
    end as rank,
    tso_u01(tso_hash64(candidates.response_key, $chosen_seed::ubigint)) as chosen_number,
    tso_u01(tso_hash64(candidates.response_key, $rejected_seed::ubigint)) as rejected_number,
from candidates
join responses on responses.response_key = candidates.response_key
join sources on sources.source_key = responses.source_key
order by candidates.value desc nulls last, chosen_number, response_id
