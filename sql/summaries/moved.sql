-- By how much does a figure of the second judge lie above that of the first, on the same replicates of prompts?
-- params: $before varchar: the first judge
--         $after varchar: the second
-- rows:   one per subject without its judge, and figure
with sides as (
    select
        subject[2:] as rest,
        subject[1] as judge,
        replicate,
        figure,
        value,
    from replicates
),
differences as (
    select
        later.rest,
        later.figure,
        later.replicate,
        later.value - earlier.value as value,
    from sides as earlier
    join sides as later on
        later.rest = earlier.rest
        and later.figure = earlier.figure
        and later.replicate = earlier.replicate
    where earlier.judge = $before and later.judge = $after
)
select
    rest as subject,
    figure,
    max(value) filter (where replicate = 0) as value,
    quantile_cont(value, 0.025) filter (where replicate > 0) as low,
    quantile_cont(value, 0.975) filter (where replicate > 0) as high,
from differences
group by rest, figure
having count(*) filter (where replicate = 0) = 1
order by subject, figure
