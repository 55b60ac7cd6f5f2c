-- Between which two values does the mean lie in 95 of 100 replicates of a bootstrap over blocks of prompts?
-- params: none
-- rows:   one per subject with at least two blocks
with several as (
    select subject from blocks group by subject having count(*) > 1
),
replicates as (
    select
        blocks.subject,
        draws.replicate,
        fsum(draws.weight * blocks.total) / sum(draws.weight * blocks.n) as value,
    from blocks
    semi join several on several.subject = blocks.subject
    join draws on draws.block = blocks.block
    group by blocks.subject, draws.replicate
)
select
    subject,
    quantile_cont(value, 0.025) as low,
    quantile_cont(value, 0.975) as high,
from replicates
group by subject
order by subject
