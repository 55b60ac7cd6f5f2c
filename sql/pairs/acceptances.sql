-- In which order were the answers of a prompt accepted, each by which chance and random number?
-- params: none
-- rows:   one per accepted answer, in the order of acceptance
select
    accepted.step,
    accepted.pass,
    sources.label as source,
    tso_id('r', accepted.response_key) as response_id,
    accepted.value as score,
    accepted.best,
    accepted.chance,
    accepted.number,
from accepted
join responses on responses.response_key = accepted.response_key
join sources on sources.source_key = responses.source_key
order by accepted.step
