-- Which keys stand more than once in their table?
-- fault:  a batch was stored twice; no index would have refused it, since keys are kept apart by anti-join
-- level:  violation
-- params: $first_seq bigint: the first commit to look at
-- rows:   one per table and key, by table
with repeated as (
    select 'runs' as table_name, any_value(tso_id('run', run_key)) as id, count(*) as n_rows, max(commit_seq) as commit_seq
    from runs
    group by run_key
    having count(*) > 1
    union all
    select 'run_outcomes', any_value(tso_id('run', run_key)), count(*), max(commit_seq)
    from run_outcomes
    group by run_key
    having count(*) > 1
    union all
    select 'commits', any_value(commit_seq::varchar), count(*), max(commit_seq)
    from commits
    group by commit_seq
    having count(*) > 1
    union all
    select 'commit_tables', any_value(commit_seq::varchar), count(*), max(commit_seq)
    from commit_tables
    group by commit_seq, table_name
    having count(*) > 1
    union all
    select 'files', any_value(format('{:016x}', file_key)), count(*), max(commit_seq)
    from files
    group by file_key
    having count(*) > 1
    union all
    select 'imports', any_value(format('{:016x}', import_key)), count(*), max(commit_seq)
    from imports
    group by import_key
    having count(*) > 1
    union all
    select 'refusals', any_value(format('{:016x}', refusal_key)), count(*), max(commit_seq)
    from refusals
    group by refusal_key
    having count(*) > 1
    union all
    select 'sources', any_value(tso_id('src', source_key)), count(*), max(commit_seq)
    from sources
    group by source_key
    having count(*) > 1
    union all
    select 'source_names', any_value(format('{:016x}', source_name_key)), count(*), max(commit_seq)
    from source_names
    group by source_name_key
    having count(*) > 1
    union all
    select 'version_orders', any_value(format('{:016x}', version_order_key)), count(*), max(commit_seq)
    from version_orders
    group by version_order_key
    having count(*) > 1
    union all
    select 'prompts', any_value(tso_id('p', prompt_key)), count(*), max(commit_seq)
    from prompts
    group by prompt_key
    having count(*) > 1
    union all
    select 'prompt_origins', any_value(format('{:016x}', origin_key)), count(*), max(commit_seq)
    from prompt_origins
    group by origin_key
    having count(*) > 1
    union all
    select 'prompt_references', any_value(format('{:016x}', reference_key)), count(*), max(commit_seq)
    from prompt_references
    group by reference_key
    having count(*) > 1
    union all
    select 'settings', any_value(format('{:016x}', settings_key)), count(*), max(commit_seq)
    from settings
    group by settings_key
    having count(*) > 1
    union all
    select 'responses', any_value(tso_id('r', response_key)), count(*), max(commit_seq)
    from responses
    group by response_key
    having count(*) > 1
    union all
    select 'shown_responses', any_value(tso_id('r', response_key)), count(*), max(commit_seq)
    from shown_responses
    group by response_key
    having count(*) > 1
    union all
    select 'rubrics', any_value(format('{:016x}', rubric_key)), count(*), max(commit_seq)
    from rubrics
    group by rubric_key
    having count(*) > 1
    union all
    select 'judgements', any_value(tso_id('jud', judgement_key)), count(*), max(commit_seq)
    from judgements
    group by judgement_key
    having count(*) > 1
    union all
    select 'scores', any_value(format('{:016x}', score_key)), count(*), max(commit_seq)
    from scores
    group by score_key
    having count(*) > 1
    union all
    select 'corrections', any_value(tso_id('cor', correction_key)), count(*), max(commit_seq)
    from corrections
    group by correction_key
    having count(*) > 1
    union all
    select 'calibrations', any_value(tso_id('cal', calibration_key)), count(*), max(commit_seq)
    from calibrations
    group by calibration_key
    having count(*) > 1
    union all
    select 'preferences', any_value(format('{:016x}', preference_key)), count(*), max(commit_seq)
    from preferences
    group by preference_key
    having count(*) > 1
    union all
    select 'recipes', any_value(tso_id('rec', recipe_key)), count(*), max(commit_seq)
    from recipes
    group by recipe_key
    having count(*) > 1
    union all
    select 'builds', any_value(name), count(*), max(commit_seq)
    from builds
    group by name
    having count(*) > 1
    union all
    select 'build_prompts', any_value(tso_id('p', prompt_key)), count(*), max(commit_seq)
    from build_prompts
    group by build_key, prompt_key
    having count(*) > 1
    union all
    select 'build_shares', any_value(tso_id('src', source_key)), count(*), max(commit_seq)
    from build_shares
    group by build_key, pool, side, source_key
    having count(*) > 1
    union all
    select 'pairs', any_value(tso_id('pair', pair_key)), count(*), max(commit_seq)
    from pairs
    group by build_key, prompt_key, pair_key
    having count(*) > 1
    union all
    select 'build_responses', any_value(tso_id('r', response_key)), count(*), max(commit_seq)
    from build_responses
    group by build_key, prompt_key, response_key
    having count(*) > 1
    union all
    select 'build_strata', any_value(tso_id('bld', build_key)), count(*), max(commit_seq)
    from build_strata
    group by build_key, pool, stratum
    having count(*) > 1
    union all
    select 'build_prompt_strata', any_value(tso_id('p', prompt_key)), count(*), max(commit_seq)
    from build_prompt_strata
    group by build_key, prompt_key
    having count(*) > 1
    union all
    select 'minibatches', any_value(tso_id('bld', build_key)), count(*), max(commit_seq)
    from minibatches
    group by build_key, minibatch
    having count(*) > 1
    union all
    select 'exports', any_value(format('{:016x}', export_key)), count(*), max(commit_seq)
    from exports
    group by export_key
    having count(*) > 1
    union all
    select 'artefacts', any_value(format('{:016x}', artefact_key)), count(*), max(commit_seq)
    from artefacts
    group by artefact_key
    having count(*) > 1
    union all
    select 'stages', any_value(tso_id('stg', stage_key)), count(*), max(commit_seq)
    from stages
    group by stage_key
    having count(*) > 1
    union all
    select 'pair_feedback', any_value(tso_id('pair', pair_key)), count(*), max(commit_seq)
    from pair_feedback
    group by stage_key, pair_key, epoch
    having count(*) > 1
    union all
    select 'calls', any_value(format('{:016x}', call_key)), count(*), max(commit_seq)
    from calls
    group by call_key
    having count(*) > 1
    union all
    select 'replies', any_value(format('{:016x}', call_key)), count(*), max(commit_seq)
    from replies
    group by call_key
    having count(*) > 1
)
select
    repeated.id,
    repeated.table_name,
    repeated.n_rows,
from repeated
where repeated.commit_seq >= $first_seq
order by repeated.table_name, repeated.id
