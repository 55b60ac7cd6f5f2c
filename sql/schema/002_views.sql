-- The views for people: ids instead of keys, names instead of references. docs/views.md says what each column means.

-- The way back from what people type: an id to its key, a build's name to its key, a source's label or the name that a
-- file used to the keys it stands for. Nothing stays nothing; what cannot be meant is an error, not an empty result.
create macro tso_key(prefix, id) as case
    when id is null then null
    when regexp_full_match(id, prefix || '1-[0-9a-f]{16}') then ('0x' || right(id, 16))::ubigint
    else error(format('{} is not an id; it looks like {}1-0123456789abcdef', id, prefix))
end;

create macro tso_build(build_name) as case
    when build_name is null then null
    else coalesce(
        (select any_value(builds.build_key) from builds where builds.name = build_name),
        error(format('no build {}; the view v_builds has them all', build_name))
    )
end;

create macro tso_sources(source_name) as case
    when source_name is null then null
    else coalesce(
        (
            select list(distinct sources.source_key)
            from sources
            where
                sources.label = source_name
                or sources.source_key in (
                    select source_names.source_key from source_names where source_names.name = source_name
                )
        ),
        error(format('no source {}; the view v_sources has them all', source_name))
    )
end;

create view v_runs as
select
    tso_id('run', runs.run_key) as run_id,
    runs.command,
    runs.arguments,
    runs.config_sha256,
    runs.seed,
    runs.versions,
    runs.started_at,
    run_outcomes.ended_at,
    coalesce(run_outcomes.status, 'unfinished') as status,
    run_outcomes.detail,
from runs
left join run_outcomes on run_outcomes.run_key = runs.run_key;

create view v_imports as
select
    tso_id('run', imports.run_key) as run_id,
    imports.format,
    files.path,
    files.file_sha256,
    imports.n_accepted,
    imports.n_present,
    imports.n_skipped,
    imports.n_failed,
from imports
join files on files.file_key = imports.file_key;

create view v_refusals as
select
    tso_id('run', refusals.run_key) as run_id,
    files.path,
    refusals.line,
    refusals.status,
    refusals.reason,
    refusals.detail,
from refusals
join files on files.file_key = refusals.file_key;

create view v_sources as
select
    tso_id('src', sources.source_key) as source_id,
    sources.kind as source_kind,
    sources.label as source,
    sources.family,
    sources.version,
    sources.size_b as size,
    (
        select string_agg(name, ', ' order by name)
        from source_names
        where source_names.source_key = sources.source_key
    ) as names,
from sources;

create view v_prompts as
select
    tso_id('p', prompts.prompt_key) as prompt_id,
    prompts.text,
    origins.dataset,
    prompts.messages,
    prompts.n_turns,
    prompts.own_turns,
    origins.external_ids,
    origins.tags,
    tso_id('run', commits.run_key) as run_id,
from prompts
join commits on commits.commit_seq = prompts.commit_seq
left join (
    select
        prompt_key,
        array_to_string(list_sort(list_distinct(list(dataset))), ',') as dataset,
        list_sort(list_distinct(list(external_id))) as external_ids,
        list_sort(list_distinct(flatten(list(tags)))) as tags,
    from prompt_origins
    group by prompt_key
) as origins on origins.prompt_key = prompts.prompt_key;

create view v_responses as
select
    tso_id('r', responses.response_key) as response_id,
    tso_id('p', responses.prompt_key) as prompt_id,
    sources.kind as source_kind,
    sources.label as source,
    sources.family,
    sources.version,
    sources.size_b as size,
    responses.text,
    responses.n_chars,
    responses.is_empty,
    responses.sample_index,
    responses.seed,
    responses.finish_reason,
    settings.body as settings,
    tso_id('r', responses.previous_key) as previous_response_id,
    responses.external_id,
    tso_id('run', commits.run_key) as run_id,
from responses
join sources on sources.source_key = responses.source_key
join commits on commits.commit_seq = responses.commit_seq
left join settings on settings.settings_key = responses.settings_key;

create view v_shown_responses as
select
    tso_id('r', shown.response_key) as response_id,
    tso_id('p', shown.prompt_key) as prompt_id,
    sources.kind as source_kind,
    sources.label as source,
    sources.family,
    sources.version,
    sources.size_b as size,
    shown.text,
    shown.n_chars,
    shown.is_empty,
    tso_id('run', commits.run_key) as run_id,
from shown_responses as shown
join sources on sources.source_key = shown.source_key
join commits on commits.commit_seq = shown.commit_seq
anti join responses on responses.response_key = shown.response_key;

create view v_judgements as
select
    tso_id('jud', judgements.judgement_key) as judgement_id,
    tso_id('p', judgements.prompt_key) as prompt_id,
    tso_id('r', judgements.response_key) as response_id,
    tso_id('r', judgements.other_key) as other_response_id,
    judgements.judge,
    judgements.judge_kind,
    rubrics.name as rubric,
    judgements.sample_index,
    judgements.raw,
    tso_id('run', commits.run_key) as run_id,
from judgements
join rubrics on rubrics.rubric_key = judgements.rubric_key
join commits on commits.commit_seq = judgements.commit_seq;

create view v_scores as
select
    tso_id('r', scores.response_key) as response_id,
    tso_id('p', scores.prompt_key) as prompt_id,
    sources.kind as source_kind,
    sources.label as source,
    sources.family,
    sources.version,
    sources.size_b as size,
    scores.judge,
    scores.judge_kind,
    rubrics.name as rubric,
    rubrics.scale_min,
    rubrics.scale_max,
    scores.dimension,
    scores.sample_index,
    scores.value,
    scores.reason,
    scores.parser,
    tso_id('jud', scores.judgement_key) as judgement_id,
    tso_id('run', commits.run_key) as run_id,
from scores
join sources on sources.source_key = scores.source_key
join rubrics on rubrics.rubric_key = scores.rubric_key
join commits on commits.commit_seq = scores.commit_seq;

create view v_corrections as
select
    tso_id('cor', corrections.correction_key) as correction_id,
    tso_id('r', corrections.response_key) as response_id,
    tso_id('p', corrections.prompt_key) as prompt_id,
    rubrics.name as rubric,
    corrections.dimension,
    corrections.value,
    corrections.author,
    corrections.author_kind,
    corrections.reason,
    corrections.made_at,
    tso_id('run', commits.run_key) as run_id,
from corrections
join rubrics on rubrics.rubric_key = corrections.rubric_key
join commits on commits.commit_seq = corrections.commit_seq;

create view v_preferences as
select
    tso_id('p', preferences.prompt_key) as prompt_id,
    tso_id('r', preferences.response_a_key) as response_a,
    tso_id('r', preferences.response_b_key) as response_b,
    source_a.label as source_a,
    source_b.label as source_b,
    preferences.judge,
    preferences.judge_kind,
    rubrics.name as rubric,
    preferences.preference,
    preferences.is_hard,
    preferences.reason,
    preferences.parser,
    tso_id('jud', preferences.judgement_key) as judgement_id,
    tso_id('run', commits.run_key) as run_id,
from preferences
left join responses as a on a.response_key = preferences.response_a_key
left join responses as b on b.response_key = preferences.response_b_key
left join shown_responses as shown_a on shown_a.response_key = preferences.response_a_key
left join shown_responses as shown_b on shown_b.response_key = preferences.response_b_key
left join sources as source_a on source_a.source_key = coalesce(a.source_key, shown_a.source_key)
left join sources as source_b on source_b.source_key = coalesce(b.source_key, shown_b.source_key)
join rubrics on rubrics.rubric_key = preferences.rubric_key
join commits on commits.commit_seq = preferences.commit_seq;

create view v_builds as
select
    builds.name as build,
    tso_id('bld', builds.build_key) as build_id,
    builds.base,
    tso_id('rec', builds.recipe_key) as recipe_id,
    builds.seed,
    tso_id('snap', builds.snapshot_key) as snapshot_id,
    builds.n_prompts,
    builds.n_pairs,
    (select count(*) from minibatches where minibatches.build_key = builds.build_key) as n_minibatches,
    recipes.body as recipe,
    builds.resolved,
    tso_id('run', commits.run_key) as run_id,
from builds
join recipes on recipes.recipe_key = builds.recipe_key
join commits on commits.commit_seq = builds.commit_seq;

create view v_pairs as
select
    builds.name as build,
    tso_id('pair', pairs.pair_key) as pair_id,
    tso_id('p', pairs.prompt_key) as prompt_id,
    tso_id('r', pairs.chosen_key) as chosen_response_id,
    tso_id('r', pairs.rejected_key) as rejected_response_id,
    chosen.label as chosen_source,
    rejected.label as rejected_source,
    pairs.pool,
    pairs.minibatch,
    pairs.split,
    pairs.round,
    pairs.chosen_score,
    pairs.rejected_score,
    tso_id('run', commits.run_key) as run_id,
from pairs
join builds on builds.build_key = pairs.build_key
join sources as chosen on chosen.source_key = pairs.chosen_source_key
join sources as rejected on rejected.source_key = pairs.rejected_source_key
join commits on commits.commit_seq = pairs.commit_seq;

create view v_build_prompts as
select
    builds.name as build,
    tso_id('p', build_prompts.prompt_key) as prompt_id,
    build_prompts.outcome,
    build_prompts.reason,
from build_prompts
join builds on builds.build_key = build_prompts.build_key;

create view v_build_shares as
select
    builds.name as build,
    build_shares.pool,
    build_shares.side,
    sources.label as source,
    build_shares.requested,
    build_shares.expected,
    build_shares.realised,
from build_shares
join builds on builds.build_key = build_shares.build_key
join sources on sources.source_key = build_shares.source_key;

-- One row per pair, side and verdict: from a pair down to the judge's raw words. A side without a verdict has one row.
create view v_lineage as
with sides as (
    select pair_key, build_key, prompt_key, 'chosen' as side, chosen_key as response_key from pairs
    union all
    select pair_key, build_key, prompt_key, 'rejected' as side, rejected_key as response_key from pairs
),
verdicts as (
    select
        response_key,
        'score' as verdict,
        judge,
        judge_kind,
        rubric_key,
        dimension,
        value,
        reason,
        judgement_key,
    from scores
    union all
    select response_key, 'correction', author, author_kind, rubric_key, dimension, value, reason, null
    from corrections
    union all
    select response_a_key, 'preference', judge, judge_kind, rubric_key, null, preference, reason, judgement_key
    from preferences
    union all
    select response_b_key, 'preference', judge, judge_kind, rubric_key, null, 1 - preference, reason, judgement_key
    from preferences
)
select
    builds.name as build,
    tso_id('pair', sides.pair_key) as pair_id,
    tso_id('p', sides.prompt_key) as prompt_id,
    sides.side,
    tso_id('r', sides.response_key) as response_id,
    sources.kind as source_kind,
    sources.label as source,
    sources.family,
    sources.version,
    sources.size_b as size,
    runs.command as made_by,
    tso_id('run', runs.run_key) as run_id,
    files.path as file,
    verdicts.verdict,
    verdicts.judge,
    verdicts.judge_kind,
    rubrics.name as rubric,
    verdicts.dimension,
    verdicts.value,
    verdicts.reason,
    judgements.raw,
from sides
join builds on builds.build_key = sides.build_key
join responses on responses.response_key = sides.response_key
join sources on sources.source_key = responses.source_key
join commits on commits.commit_seq = responses.commit_seq
join runs on runs.run_key = commits.run_key
left join files on files.file_key = commits.file_key
left join verdicts on verdicts.response_key = sides.response_key
left join rubrics on rubrics.rubric_key = verdicts.rubric_key
left join judgements on judgements.judgement_key = verdicts.judgement_key;

create view v_pair_feedback as
select
    builds.name as build,
    tso_id('stg', pair_feedback.stage_key) as stage_id,
    stages.minibatch,
    tso_id('pair', pair_feedback.pair_key) as pair_id,
    pair_feedback.epoch,
    pair_feedback.chosen_reward,
    pair_feedback.rejected_reward,
    pair_feedback.chosen_clipped,
    pair_feedback.rejected_clipped,
    pair_feedback.loss,
from pair_feedback
join stages on stages.stage_key = pair_feedback.stage_key
join builds on builds.build_key = stages.build_key;
