-- How many answers of the table answers_to_judge are there, and why are some of them not asked about?
-- params: none
-- rows:   one per reason, by name; null for those that are asked about
select
    case
        when answers_to_judge.is_empty then 'empty'
        when fitting.response_key is null then 'no_form'
    end as reason,
    count(*) as n,
from answers_to_judge
left join (select distinct response_key from asked) as fitting on fitting.response_key = answers_to_judge.response_key
group by reason
order by reason
