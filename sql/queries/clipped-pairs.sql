-- How often was a side's reward clipped in training, by the sources of the pair?
-- params: $stage varchar = null: only this stage, by its id
-- rows:   one per stage, chosen source and rejected source, by stage, most rows first
with sides as (
    select distinct
        build_key,
        pair_key,
        chosen_source_key,
        rejected_source_key,
    from pairs
    semi join pair_feedback using (pair_key)
),
names as (
    -- the same build may stand under several names
    select
        build_key,
        string_agg(name, ', ' order by name) as build,
    from builds
    group by build_key
)
select
    names.build,
    stages.minibatch,
    tso_id('stg', stages.stage_key) as stage_id,
    chosen.label as chosen_source,
    rejected.label as rejected_source,
    count(*) as n_rows,
    count(distinct pair_feedback.pair_key) as n_pairs,
    avg(pair_feedback.chosen_clipped::integer) as chosen_clipped,
    avg(pair_feedback.rejected_clipped::integer) as rejected_clipped,
from pair_feedback
join stages on stages.stage_key = pair_feedback.stage_key
join names on names.build_key = stages.build_key
join sides on sides.build_key = stages.build_key and sides.pair_key = pair_feedback.pair_key
join sources as chosen on chosen.source_key = sides.chosen_source_key
join sources as rejected on rejected.source_key = sides.rejected_source_key
where $stage::varchar is null or pair_feedback.stage_key = tso_key('stg', $stage::varchar)
group by names.build, stages.minibatch, stages.stage_key, chosen.label, rejected.label
order by names.build, stages.minibatch, stages.stage_key, n_rows desc, chosen_source, rejected_source
