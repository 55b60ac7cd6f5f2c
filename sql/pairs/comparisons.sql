-- Which two answers of a prompt have been compared, and what became of it?
-- params: none
-- rows:   one per two answers, in the order in which they are drawn
select
    chosen_sources.label as source,
    tso_id('r', compared.chosen_key) as response_id,
    rejected_sources.label as against,
    tso_id('r', compared.rejected_key) as against_response_id,
    compared.preference,
    compared.n_verdicts,
    compared.number,
from compared
join responses as chosen on chosen.response_key = compared.chosen_key
join sources as chosen_sources on chosen_sources.source_key = chosen.source_key
join responses as rejected on rejected.response_key = compared.rejected_key
join sources as rejected_sources on rejected_sources.source_key = rejected.source_key
order by compared.number, response_id, against_response_id
