-- Which rows refer to a row that is not there?
-- fault:  a score without its answer or a judgement without its prompt is silently left out of every join
-- level:  violation
-- params: $first_seq bigint: the first commit to look at
-- rows:   one per row and reference, by table
with answers as (
    select response_key from responses
    union all
    select response_key from shown_responses
),
orphans as (
    select tso_id('run', run_outcomes.run_key) as id, 'run_outcomes' as table_name, 'run_key' as refers, run_outcomes.commit_seq
    from run_outcomes
    anti join runs on runs.run_key = run_outcomes.run_key
    union all
    select tso_id('run', imports.run_key), 'imports', 'run_key', imports.commit_seq
    from imports
    anti join runs on runs.run_key = imports.run_key
    union all
    select tso_id('run', imports.run_key), 'imports', 'file_key', imports.commit_seq
    from imports
    anti join files on files.file_key = imports.file_key
    union all
    select tso_id('run', refusals.run_key), 'refusals', 'run_key', refusals.commit_seq
    from refusals
    anti join runs on runs.run_key = refusals.run_key
    union all
    select tso_id('run', refusals.run_key), 'refusals', 'file_key', refusals.commit_seq
    from refusals
    anti join files on files.file_key = refusals.file_key
    union all
    select source_names.name, 'source_names', 'source_key', source_names.commit_seq
    from source_names
    anti join sources on sources.source_key = source_names.source_key
    union all
    select tso_id('p', prompt_origins.prompt_key), 'prompt_origins', 'prompt_key', prompt_origins.commit_seq
    from prompt_origins
    anti join prompts on prompts.prompt_key = prompt_origins.prompt_key
    union all
    select tso_id('p', prompt_references.prompt_key), 'prompt_references', 'prompt_key', prompt_references.commit_seq
    from prompt_references
    anti join prompts on prompts.prompt_key = prompt_references.prompt_key
    union all
    select tso_id('r', responses.response_key), 'responses', 'prompt_key', responses.commit_seq
    from responses
    anti join prompts on prompts.prompt_key = responses.prompt_key
    union all
    select tso_id('r', responses.response_key), 'responses', 'source_key', responses.commit_seq
    from responses
    anti join sources on sources.source_key = responses.source_key
    union all
    select tso_id('r', responses.response_key), 'responses', 'settings_key', responses.commit_seq
    from responses
    anti join settings on settings.settings_key = responses.settings_key
    where responses.settings_key is not null
    union all
    select tso_id('r', responses.response_key), 'responses', 'previous_key', responses.commit_seq
    from responses
    anti join answers on answers.response_key = responses.previous_key
    where responses.previous_key is not null
    union all
    select tso_id('r', shown_responses.response_key), 'shown_responses', 'prompt_key', shown_responses.commit_seq
    from shown_responses
    anti join prompts on prompts.prompt_key = shown_responses.prompt_key
    union all
    select tso_id('r', shown_responses.response_key), 'shown_responses', 'source_key', shown_responses.commit_seq
    from shown_responses
    anti join sources on sources.source_key = shown_responses.source_key
    union all
    select tso_id('jud', judgements.judgement_key), 'judgements', 'prompt_key', judgements.commit_seq
    from judgements
    anti join prompts on prompts.prompt_key = judgements.prompt_key
    union all
    select tso_id('jud', judgements.judgement_key), 'judgements', 'response_key', judgements.commit_seq
    from judgements
    anti join answers on answers.response_key = judgements.response_key
    union all
    select tso_id('jud', judgements.judgement_key), 'judgements', 'other_key', judgements.commit_seq
    from judgements
    anti join answers on answers.response_key = judgements.other_key
    where judgements.other_key is not null
    union all
    select tso_id('jud', judgements.judgement_key), 'judgements', 'rubric_key', judgements.commit_seq
    from judgements
    anti join rubrics on rubrics.rubric_key = judgements.rubric_key
    union all
    select tso_id('jud', judgements.judgement_key), 'judgements', 'settings_key', judgements.commit_seq
    from judgements
    anti join settings on settings.settings_key = judgements.settings_key
    where judgements.settings_key is not null
    union all
    select tso_id('r', scores.response_key), 'scores', 'response_key', scores.commit_seq
    from scores
    anti join answers on answers.response_key = scores.response_key
    union all
    select tso_id('r', scores.response_key), 'scores', 'judgement_key', scores.commit_seq
    from scores
    anti join judgements on judgements.judgement_key = scores.judgement_key
    where scores.judgement_key is not null
    union all
    select tso_id('r', scores.response_key), 'scores', 'rubric_key', scores.commit_seq
    from scores
    anti join rubrics on rubrics.rubric_key = scores.rubric_key
    union all
    select tso_id('cor', corrections.correction_key), 'corrections', 'response_key', corrections.commit_seq
    from corrections
    anti join answers on answers.response_key = corrections.response_key
    union all
    select tso_id('cor', corrections.correction_key), 'corrections', 'rubric_key', corrections.commit_seq
    from corrections
    anti join rubrics on rubrics.rubric_key = corrections.rubric_key
    union all
    select tso_id('p', preferences.prompt_key), 'preferences', 'response_a_key', preferences.commit_seq
    from preferences
    anti join answers on answers.response_key = preferences.response_a_key
    union all
    select tso_id('p', preferences.prompt_key), 'preferences', 'response_b_key', preferences.commit_seq
    from preferences
    anti join answers on answers.response_key = preferences.response_b_key
    union all
    select tso_id('p', preferences.prompt_key), 'preferences', 'judgement_key', preferences.commit_seq
    from preferences
    anti join judgements on judgements.judgement_key = preferences.judgement_key
    where preferences.judgement_key is not null
    union all
    select tso_id('p', preferences.prompt_key), 'preferences', 'rubric_key', preferences.commit_seq
    from preferences
    anti join rubrics on rubrics.rubric_key = preferences.rubric_key
    union all
    select builds.name, 'builds', 'recipe_key', builds.commit_seq
    from builds
    anti join recipes on recipes.recipe_key = builds.recipe_key
    union all
    select tso_id('p', build_prompts.prompt_key), 'build_prompts', 'prompt_key', build_prompts.commit_seq
    from build_prompts
    anti join prompts on prompts.prompt_key = build_prompts.prompt_key
    union all
    select tso_id('bld', build_prompts.build_key), 'build_prompts', 'build_key', build_prompts.commit_seq
    from build_prompts
    anti join builds on builds.build_key = build_prompts.build_key
    union all
    select tso_id('bld', build_shares.build_key), 'build_shares', 'source_key', build_shares.commit_seq
    from build_shares
    anti join sources on sources.source_key = build_shares.source_key
    union all
    select tso_id('bld', build_shares.build_key), 'build_shares', 'build_key', build_shares.commit_seq
    from build_shares
    anti join builds on builds.build_key = build_shares.build_key
    union all
    select tso_id('pair', pairs.pair_key), 'pairs', 'prompt_key', pairs.commit_seq
    from pairs
    anti join prompts on prompts.prompt_key = pairs.prompt_key
    union all
    select tso_id('pair', pairs.pair_key), 'pairs', 'build_key', pairs.commit_seq
    from pairs
    anti join builds on builds.build_key = pairs.build_key
    union all
    select tso_id('r', build_responses.response_key), 'build_responses', 'build_key', build_responses.commit_seq
    from build_responses
    anti join builds on builds.build_key = build_responses.build_key
    union all
    select tso_id('bld', build_strata.build_key), 'build_strata', 'build_key', build_strata.commit_seq
    from build_strata
    anti join builds on builds.build_key = build_strata.build_key
    union all
    select tso_id('p', build_prompt_strata.prompt_key), 'build_prompt_strata', 'build_key', build_prompt_strata.commit_seq
    from build_prompt_strata
    anti join builds on builds.build_key = build_prompt_strata.build_key
    union all
    select tso_id('bld', minibatches.build_key), 'minibatches', 'build_key', minibatches.commit_seq
    from minibatches
    anti join builds on builds.build_key = minibatches.build_key
    union all
    select exports.directory, 'exports', 'build_key', exports.commit_seq
    from exports
    anti join builds on builds.build_key = exports.build_key
    union all
    select artefacts.name, 'artefacts', 'source_key', artefacts.commit_seq
    from artefacts
    anti join sources on sources.source_key = artefacts.source_key
    where artefacts.source_key is not null
    union all
    select tso_id('stg', stages.stage_key), 'stages', 'build_key', stages.commit_seq
    from stages
    anti join builds on builds.build_key = stages.build_key
    union all
    select tso_id('stg', stages.stage_key), 'stages', 'reference_artefact_key', stages.commit_seq
    from stages
    anti join artefacts on artefacts.artefact_key = stages.reference_artefact_key
    where stages.reference_artefact_key is not null
    union all
    select tso_id('stg', stages.stage_key), 'stages', 'policy_artefact_key', stages.commit_seq
    from stages
    anti join artefacts on artefacts.artefact_key = stages.policy_artefact_key
    where stages.policy_artefact_key is not null
    union all
    select tso_id('pair', pair_feedback.pair_key), 'pair_feedback', 'stage_key', pair_feedback.commit_seq
    from pair_feedback
    anti join stages on stages.stage_key = pair_feedback.stage_key
    union all
    select tso_id('pair', pair_feedback.pair_key), 'pair_feedback', 'pair_key', pair_feedback.commit_seq
    from pair_feedback
    anti join pairs on pairs.pair_key = pair_feedback.pair_key
    union all
    select tso_id('req', calls.request_key), 'calls', 'prompt_key', calls.commit_seq
    from calls
    anti join prompts on prompts.prompt_key = calls.prompt_key
    union all
    select tso_id('req', calls.request_key), 'calls', 'response_key', calls.commit_seq
    from calls
    anti join responses on responses.response_key = calls.response_key
    where calls.response_key is not null
    union all
    select tso_id('req', calls.request_key), 'calls', 'judgement_key', calls.commit_seq
    from calls
    anti join judgements on judgements.judgement_key = calls.judgement_key
    where calls.judgement_key is not null
    union all
    select tso_id('req', calls.request_key), 'calls', 'settings_key', calls.commit_seq
    from calls
    anti join settings on settings.settings_key = calls.settings_key
    where calls.settings_key is not null
    union all
    select format('{:016x}', replies.call_key), 'replies', 'call_key', replies.commit_seq
    from replies
    anti join calls on calls.call_key = replies.call_key
)
select
    orphans.id,
    orphans.table_name,
    orphans.refers,
from orphans
where orphans.commit_seq >= $first_seq
order by orphans.table_name, orphans.refers, orphans.id
