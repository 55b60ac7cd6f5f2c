-- What are the figures of the replicates, and between which two values do 95 of 100 replicates lie?
-- params: none
-- rows:   one per subject and figure
select
    subject,
    figure,
    max(value) filter (where replicate = 0) as value,
    quantile_cont(value, 0.025) filter (where replicate > 0) as low,
    quantile_cont(value, 0.975) filter (where replicate > 0) as high,
from replicates
group by subject, figure
having count(*) filter (where replicate = 0) = 1
order by subject, figure
