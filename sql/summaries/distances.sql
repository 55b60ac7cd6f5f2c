-- How far are the listed values from the others', in each replicate of a bootstrap over blocks of prompts?
-- bias and mae are means of the difference and of its absolute value. kappa is quadratic-weighted and needs no bins: 1 less
-- the mean squared difference over that of all values with all others (Cohen 1968). alpha is Krippendorff's for
-- intervals, 1 - Do/De (2011); `share` is 1 over the number of other raters, so that each value counts once. Where the
-- two sides have no order, as of two people, kappa is over both orders. Replicate 0 is the estimate itself.
-- params: $has_order boolean: whether the two sides differ, as a judge and people do
-- rows:   one per subject, replicate and figure that has a value
with blocks as (
    select
        subject,
        prompt_key % 1024 as block,
        sum(share) as w,
        fsum(share * value) as x,
        fsum(share * other) as y,
        fsum(share * value * value) as xx,
        fsum(share * other * other) as yy,
        fsum(share * abs(value - other)) as absolute,
        fsum(share * (value - other) * (value - other)) as squared,
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
        fsum(weights.weight * blocks.w) as w,
        fsum(weights.weight * blocks.x) as x,
        fsum(weights.weight * blocks.y) as y,
        fsum(weights.weight * blocks.xx) as xx,
        fsum(weights.weight * blocks.yy) as yy,
        fsum(weights.weight * blocks.absolute) as absolute,
        fsum(weights.weight * blocks.squared) as squared,
    from blocks
    join weights on weights.block = blocks.block
    group by blocks.subject, weights.replicate
),
spreads as (
    select
        *,
        if(
            $has_order::boolean,
            xx / w + yy / w - 2 * (x / w) * (y / w),
            (xx + yy) / w - (x + y) * (x + y) / (2 * w * w)
        ) as by_chance,
        2 / nullif(2 * w - 1, 0) * (xx + yy - (x + y) * (x + y) / (2 * w)) as expected,
    from sums
),
results as (
    select
        subject,
        replicate,
        unnest([
            {'figure': 'bias', 'value': if($has_order::boolean, (x - y) / w, null)},
            {'figure': 'mae', 'value': absolute / w},
            {'figure': 'kappa', 'value': 1 - squared / w / if(by_chance > 1e-12, by_chance, null)},
            {'figure': 'alpha', 'value': 1 - squared / w / if(expected > 1e-12, expected, null)}
        ], recursive := true),
    from spreads
)
select
    subject,
    replicate::integer as replicate,
    figure,
    value,
from results
where value is not null
order by subject, replicate, figure
