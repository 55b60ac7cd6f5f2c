-- What stands behind a policy, stage after stage back to the base: pairs, answers, who gave them, and what was said of them?
--
-- Of each pair both answers, with the reward that training last gave them; an answer that was learnt by itself or in a
-- ranked list stands on the side `answer`, and its loss in the stage's folder. Of each answer every score, preference and
-- correction that the build has seen, down to the judge's raw words. A correction has its author as judge. Where nobody
-- has said anything of an answer, one row says so. What was tuned on records alone has no stage.
-- params: $policy varchar: the policy, by its id, or by its name if no other goes by it
-- rows:   one per stage, pair, side and verdict, the last stage first
with recursive wanted as materialized (
    select
        case count(*)
            when 0 then error(format('no policy {}; the view v_policies has them all', $policy::varchar))
            when 1 then any_value(artefact_key)
            else error(format('{} policies {}; name one by its id, from the view v_policies', count(*), $policy::varchar))
        end as artefact_key,
    from artefacts
    where kind = 'policy' and $policy::varchar in (name, tso_id('art', artefact_key))
),
ancestry as (
    select
        artefacts.artefact_key,
        artefacts.name,
        artefacts.parent_keys,
        1 as steps_back,
    from artefacts
    join wanted on wanted.artefact_key = artefacts.artefact_key
    union all
    select
        artefacts.artefact_key,
        artefacts.name,
        artefacts.parent_keys,
        ancestry.steps_back + 1,
    from ancestry
    join artefacts on list_contains(ancestry.parent_keys, artefacts.artefact_key)
),
names as (
    -- the same build may stand under several names
    select
        build_key,
        string_agg(name, ', ' order by name) as build,
        min(snapshot_seq) as snapshot_seq,
    from builds
    group by build_key
),
passed as (
    select
        ancestry.steps_back,
        ancestry.name as policy,
        stages.stage_key,
        stages.build_key,
        names.build,
        names.snapshot_seq,
        stages.minibatch,
    from ancestry
    join stages on stages.policy_artefact_key = ancestry.artefact_key and stages.status = 'done'
    join names on names.build_key = stages.build_key
),
drawn as (
    select build_key, minibatch, pair_key, prompt_key, 'chosen' as side, chosen_key as response_key
    from pairs
    union all
    select build_key, minibatch, pair_key, prompt_key, 'rejected', rejected_key
    from pairs
    union all
    select build_key, minibatch, null, prompt_key, 'answer', response_key
    from build_responses
),
sides as (
    select
        passed.* exclude (build_key),
        drawn.pair_key,
        drawn.prompt_key,
        drawn.side,
        drawn.response_key,
    from passed
    join drawn on drawn.build_key = passed.build_key and drawn.minibatch = passed.minibatch
),
shown as (
    select distinct response_key, prompt_key from sides
),
trained as (
    select
        stage_key,
        pair_key,
        arg_max(struct_pack(chosen_reward, rejected_reward, chosen_clipped, rejected_clipped), epoch) as seen,
    from pair_feedback
    where stage_key in (select stage_key from passed)
    group by stage_key, pair_key
),
-- an answer may have been given again, word for word, by a later policy
shaped as (
    select responses.response_key, responses.settings_key, responses.commit_seq
    from responses
    semi join shown on shown.response_key = responses.response_key
    union all
    select calls.response_key, calls.settings_key, calls.commit_seq
    from calls
    semi join shown on shown.response_key = calls.response_key
    where calls.task = 'generate' and calls.failure is null
),
revisions as (
    select
        settings_key,
        try_cast(body as json) ->> '$.revision' as revision,
    from settings
),
policies as (
    select
        artefact_sha256,
        string_agg(distinct name, ', ' order by name) as name,
    from artefacts
    where kind = 'policy'
    group by artefact_sha256
),
given as (
    select
        drawn_from.snapshot_seq,
        shaped.response_key,
        string_agg(
            distinct coalesce(policies.name, revisions.revision), ', '
            order by coalesce(policies.name, revisions.revision)
        ) as given_by,
    from shaped
    join revisions on revisions.settings_key = shaped.settings_key and revisions.revision is not null
    left join policies on policies.artefact_sha256 = revisions.revision
    join (select distinct snapshot_seq from passed) as drawn_from on shaped.commit_seq <= drawn_from.snapshot_seq
    group by drawn_from.snapshot_seq, shaped.response_key
),
verdicts as (
    select
        scores.response_key,
        'score' as verdict,
        scores.judge,
        scores.judge_kind,
        scores.rubric_key,
        scores.dimension,
        scores.value,
        scores.reason,
        scores.judgement_key,
        scores.commit_seq,
    from scores
    semi join shown on shown.response_key = scores.response_key
    union all
    select
        corrections.response_key,
        'correction',
        corrections.author,
        corrections.author_kind,
        corrections.rubric_key,
        corrections.dimension,
        corrections.value,
        corrections.reason,
        null,
        corrections.commit_seq
    from corrections
    semi join shown on shown.response_key = corrections.response_key
    union all
    select
        shown.response_key,
        'preference',
        preferences.judge,
        preferences.judge_kind,
        preferences.rubric_key,
        null,
        if(shown.response_key = preferences.response_a_key, preferences.preference, 1 - preferences.preference),
        preferences.reason,
        preferences.judgement_key,
        preferences.commit_seq
    from preferences
    join shown
        on shown.prompt_key = preferences.prompt_key
        and shown.response_key in (preferences.response_a_key, preferences.response_b_key)
)
select
    sides.steps_back,
    sides.policy,
    tso_id('stg', sides.stage_key) as stage_id,
    sides.build,
    sides.minibatch,
    tso_id('pair', sides.pair_key) as pair_id,
    tso_id('p', sides.prompt_key) as prompt_id,
    sides.side,
    tso_id('r', sides.response_key) as response_id,
    sources.label as source,
    given.given_by,
    if(sides.side = 'chosen', trained.seen.chosen_reward, trained.seen.rejected_reward) as reward,
    if(sides.side = 'chosen', trained.seen.chosen_clipped, trained.seen.rejected_clipped) as is_clipped,
    verdicts.verdict,
    verdicts.judge,
    verdicts.judge_kind,
    rubrics.name as rubric,
    verdicts.dimension,
    verdicts.value,
    verdicts.reason,
    judgements.raw,
from sides
join responses on responses.response_key = sides.response_key
join sources on sources.source_key = responses.source_key
left join trained on trained.stage_key = sides.stage_key and trained.pair_key = sides.pair_key
left join given on given.response_key = sides.response_key and given.snapshot_seq = sides.snapshot_seq
left join verdicts on verdicts.response_key = sides.response_key and verdicts.commit_seq <= sides.snapshot_seq
left join rubrics on rubrics.rubric_key = verdicts.rubric_key
left join judgements on judgements.judgement_key = verdicts.judgement_key
order by
    sides.steps_back,
    sides.stage_key,
    sides.pair_key,
    sides.side,
    sides.response_key,
    verdicts.verdict,
    verdicts.judge,
    rubrics.name,
    verdicts.dimension,
    verdicts.value,
    verdicts.judgement_key
