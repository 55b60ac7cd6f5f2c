-- What is the mean of the listed values in each replicate of a bootstrap over blocks of prompts?
-- params: $figure varchar: what it is called
-- rows:   one per subject and replicate
with blocks as (
    select
        subject,
        prompt_key % 1024 as block,
        count(*) as n,
        fsum(value) as total,
    from listed
    group by subject, block
),
weights as (
    select replicate, block, weight from draws
    union all
    select distinct 0, block, 1 from blocks
)
select
    blocks.subject,
    weights.replicate::integer as replicate,
    $figure::varchar as figure,
    fsum(weights.weight * blocks.total) / sum(weights.weight * blocks.n) as value,
from blocks
join weights on weights.block = blocks.block
group by blocks.subject, weights.replicate
order by blocks.subject, replicate
