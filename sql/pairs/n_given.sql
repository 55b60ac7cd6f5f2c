-- How many of the base's answers did the policy of each pool give, and which?
-- params: none
-- rows:   one per pool with any, by name
select
    pool,
    count(*) as n_answers,
    bit_xor(response_key) as answers_xor,
from given
group by pool
order by pool
