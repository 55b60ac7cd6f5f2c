-- What is a quantile of the listed values?
-- params: $q double: the quantile, from 0 to 1
-- rows:   one per subject
select
    subject,
    count(*) as n,
    quantile_cont(value, $q::double) as value,
from listed
group by subject
order by subject
