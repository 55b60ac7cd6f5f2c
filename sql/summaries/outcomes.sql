-- How many answers have which outcome?
-- params: none
-- rows:   one per subject and outcome
select
    subject,
    outcome,
    count(*) as n,
from listed
group by subject, outcome
order by subject, outcome
