-- How do the ranks of the listed values go with those of the others, in each replicate of a bootstrap: Spearman's rho?
-- Equal values share their middle rank. Where the two sides have no order, each row counts both ways round.
-- params: $has_order boolean: whether the two sides differ, as a judge and people do
-- rows:   one per subject and replicate that has a value
with sided as (
    select subject, prompt_key % 1024 as block, value as x, other as y, share from listed
    union all
    select subject, prompt_key % 1024, other, value, share from listed where not $has_order::boolean
),
grid as (
    select
        subject,
        block,
        x,
        y,
        sum(share) as share,
    from sided
    group by subject, block, x, y
),
weights as (
    select replicate, block, weight from draws
    union all
    select distinct 0, block, 1 from grid
),
drawn as (
    select
        grid.subject,
        weights.replicate,
        grid.x,
        grid.y,
        fsum(weights.weight * grid.share) as w,
    from grid
    join weights on weights.block = grid.block
    group by grid.subject, weights.replicate, grid.x, grid.y
),
by_x as (
    select
        subject,
        replicate,
        x,
        fsum(w) as w,
    from drawn
    group by subject, replicate, x
),
by_y as (
    select
        subject,
        replicate,
        y,
        fsum(w) as w,
    from drawn
    group by subject, replicate, y
),
x_ranks as (
    select
        subject,
        replicate,
        x,
        sum(w) over (partition by subject, replicate order by x) - w / 2 as rank,
    from by_x
),
y_ranks as (
    select
        subject,
        replicate,
        y,
        sum(w) over (partition by subject, replicate order by y) - w / 2 as rank,
    from by_y
),
sums as (
    select
        drawn.subject,
        drawn.replicate,
        fsum(drawn.w) as w,
        fsum(drawn.w * x_ranks.rank) as x,
        fsum(drawn.w * y_ranks.rank) as y,
        fsum(drawn.w * x_ranks.rank * x_ranks.rank) as xx,
        fsum(drawn.w * y_ranks.rank * y_ranks.rank) as yy,
        fsum(drawn.w * x_ranks.rank * y_ranks.rank) as xy,
    from drawn
    join x_ranks using (subject, replicate, x)
    join y_ranks using (subject, replicate, y)
    group by drawn.subject, drawn.replicate
),
results as (
    select
        subject,
        replicate,
        (xy - x * y / w) / nullif(sqrt(greatest(xx - x * x / w, 0) * greatest(yy - y * y / w, 0)), 0) as value,
    from sums
)
select
    subject,
    replicate::integer as replicate,
    'spearman' as figure,
    value,
from results
where value is not null
order by subject, replicate
