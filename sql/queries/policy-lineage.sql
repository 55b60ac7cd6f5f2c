-- Which pairs, or answers, made a policy, stage after stage back to the base, and what did each stage do to them?
-- Of an answer that was learnt by itself or in a ranked list there is neither a pair nor a rejected source, and what
-- became of it stands in the stage's folder.
-- params: $policy varchar: the policy, by its id
-- rows:   one per stage, pair (or answer) and epoch, the last stage first
with recursive ancestry as (
    select
        stages.stage_key,
        stages.build_key,
        stages.minibatch,
        stages.reference_artefact_key,
        1 as steps_back,
    from stages
    where stages.policy_artefact_key = tso_key('art', $policy::varchar) and stages.status = 'done'
    union all
    select
        stages.stage_key,
        stages.build_key,
        stages.minibatch,
        stages.reference_artefact_key,
        ancestry.steps_back + 1,
    from ancestry
    join stages on stages.policy_artefact_key = ancestry.reference_artefact_key and stages.status = 'done'
),
learnt as (
    select build_key, minibatch, pair_key, prompt_key, chosen_key, chosen_source_key, rejected_source_key
    from pairs
    union all
    select build_key, minibatch, null, prompt_key, response_key, source_key, null
    from build_responses
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
    ancestry.steps_back,
    names.build,
    ancestry.minibatch,
    tso_id('stg', ancestry.stage_key) as stage_id,
    tso_id('pair', learnt.pair_key) as pair_id,
    tso_id('p', learnt.prompt_key) as prompt_id,
    chosen.label as chosen_source,
    rejected.label as rejected_source,
    feedback.epoch,
    feedback.chosen_reward,
    feedback.rejected_reward,
    feedback.chosen_clipped,
    feedback.rejected_clipped,
    tso_id('r', learnt.chosen_key) as chosen_response_id,
from ancestry
join names on names.build_key = ancestry.build_key
join learnt on learnt.build_key = ancestry.build_key and learnt.minibatch = ancestry.minibatch
join sources as chosen on chosen.source_key = learnt.chosen_source_key
left join sources as rejected on rejected.source_key = learnt.rejected_source_key
left join pair_feedback as feedback
    on feedback.stage_key = ancestry.stage_key and feedback.pair_key = learnt.pair_key
order by ancestry.steps_back, stage_id, names.build, pair_id, feedback.epoch, chosen_response_id
