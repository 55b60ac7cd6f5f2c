-- How do the listed values go with the other column: Pearson's correlation?
-- The interval is a bootstrap over blocks of prompts; replicate 0 is the estimate itself.
-- params: none
-- rows:   one per subject
with blocks as (
    select
        subject,
        prompt_key % 1024 as block,
        count(*) as n,
        fsum(value) as x,
        fsum(other) as y,
        fsum(value * value) as xx,
        fsum(other * other) as yy,
        fsum(value * other) as xy,
    from listed
    group by subject, block
),
weights as (
    select replicate, block, weight from draws
    union all
    select distinct 0, block, 1 from blocks
),
sums as (
    select
        blocks.subject,
        weights.replicate,
        sum(weights.weight * blocks.n) as n,
        fsum(weights.weight * blocks.x) as x,
        fsum(weights.weight * blocks.y) as y,
        fsum(weights.weight * blocks.xx) as xx,
        fsum(weights.weight * blocks.yy) as yy,
        fsum(weights.weight * blocks.xy) as xy,
    from blocks
    join weights on weights.block = blocks.block
    group by blocks.subject, weights.replicate
),
results as (
    select
        subject,
        replicate,
        n,
        (xy - x * y / n) / nullif(sqrt(greatest(xx - x * x / n, 0) * greatest(yy - y * y / n, 0)), 0) as value,
    from sums
)
select
    subject,
    max(n) filter (where replicate = 0) as n,
    max(value) filter (where replicate = 0) as value,
    quantile_cont(value, 0.025) filter (where replicate > 0) as low,
    quantile_cont(value, 0.975) filter (where replicate > 0) as high,
    (select count(*) from blocks where blocks.subject = results.subject) as n_blocks,
from results
group by subject
order by subject
