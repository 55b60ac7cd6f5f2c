-- What is the mean of the values, over how many rows?
-- params: none
-- rows:   one per subject
select
    subject,
    sum(n)::bigint as n,
    fsum(total) / sum(n) as value,
from blocks
group by subject
order by subject
