-- Which sources stand on the two sides of a build's pairs, and how often?
-- params: $build varchar: the build's name
-- rows:   one per chosen source, rejected source, pool and minibatch (none for held-out pairs), most frequent first
with wanted as materialized (
    select tso_build($build::varchar) as build_key
),
counted as (
    select
        chosen_source_key,
        rejected_source_key,
        pool,
        split,
        minibatch,
        count(*) as n_pairs,
    from pairs
    semi join wanted using (build_key)
    group by all
)
select
    chosen.label as chosen_source,
    rejected.label as rejected_source,
    counted.pool,
    counted.split,
    counted.minibatch,
    counted.n_pairs,
from counted
join sources as chosen on chosen.source_key = counted.chosen_source_key
join sources as rejected on rejected.source_key = counted.rejected_source_key
order by counted.n_pairs desc, chosen_source, rejected_source, counted.pool, counted.split, counted.minibatch
