-- How many pairs of the table pairs_to_judge are there, and why are some of them not asked about?
-- params: none
-- rows:   one per reason, by name; null for those that are asked about
select
    case
        when pairs_asked.first_key is null then 'empty'
        when pairs_asked.is_identical then 'identical'
        when pairs_asked.question is null then 'no_form'
    end as reason,
    count(*) as n,
from pairs_to_judge
left join pairs_asked
    on pairs_asked.first_key = pairs_to_judge.first_key and pairs_asked.second_key = pairs_to_judge.second_key
group by reason
order by reason
