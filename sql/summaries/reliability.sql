-- How reliable is one score: the judge's noise, the spread of the answers, and the intraclass correlation?
-- One-way random effects with unequal numbers (Shrout and Fleiss 1979, ICC(1,1)): the listed value is an answer's mean.
-- The intervals are a bootstrap over blocks of prompts; replicate 0 is the estimate itself.
-- params: none
-- rows:   one per subject
with blocks as (
    select
        subject,
        prompt_key % 1024 as block,
        count(*) as n_answers,
        sum(n_scores) as n_scores,
        sum(n_scores * n_scores) as n_squared,
        fsum(n_scores * value) as total,
        fsum(n_scores * value * value) as squares,
        fsum((n_scores - 1) * variance) as within_squares,
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
        sum(weights.weight * blocks.n_answers) as n_answers,
        sum(weights.weight * blocks.n_scores) as n_scores,
        sum(weights.weight * blocks.n_squared) as n_squared,
        fsum(weights.weight * blocks.total) as total,
        fsum(weights.weight * blocks.squares) as squares,
        fsum(weights.weight * blocks.within_squares) as within_squares,
    from blocks
    join weights on weights.block = blocks.block
    group by blocks.subject, weights.replicate
),
effects as (
    select
        subject,
        replicate,
        n_answers,
        within_squares / (n_scores - n_answers) as within_ms,
        greatest(squares - total * total / n_scores, 0) / nullif(n_answers - 1, 0) as between_ms,
        (n_scores - n_squared / n_scores) / nullif(n_answers - 1, 0) as n_each,
    from sums
),
results as (
    select
        subject,
        replicate,
        n_answers,
        sqrt(within_ms) as within_sd,
        sqrt(greatest((between_ms - within_ms) / n_each, 0)) as between_sd,
        (between_ms - within_ms) / nullif(between_ms + (n_each - 1) * within_ms, 0) as icc,
    from effects
)
select
    subject,
    max(n_answers) filter (where replicate = 0) as n,
    max(within_sd) filter (where replicate = 0) as within_sd,
    quantile_cont(within_sd, 0.025) filter (where replicate > 0) as within_low,
    quantile_cont(within_sd, 0.975) filter (where replicate > 0) as within_high,
    max(between_sd) filter (where replicate = 0) as between_sd,
    quantile_cont(between_sd, 0.025) filter (where replicate > 0) as between_low,
    quantile_cont(between_sd, 0.975) filter (where replicate > 0) as between_high,
    max(icc) filter (where replicate = 0) as icc,
    quantile_cont(icc, 0.025) filter (where replicate > 0) as icc_low,
    quantile_cont(icc, 0.975) filter (where replicate > 0) as icc_high,
    (select count(*) from blocks where blocks.subject = results.subject) as n_blocks,
from results
group by subject
order by subject
