-- Which commits do not have the rows that the commit log says they added?
-- fault:  a row was changed, removed or put in by hand, or a write-ahead log that was cut opened at an earlier commit
-- level:  violation
-- params: $first_seq bigint: the first commit to look at
-- rows:   one per commit and table, by number
with present as (
    select 'runs' as table_name, commit_seq, count(*) as n_rows, bit_xor(run_key) as keys_xor from runs group by all
    union all
    select 'run_outcomes', commit_seq, count(*), bit_xor(run_key) from run_outcomes group by all
    union all
    select 'files', commit_seq, count(*), bit_xor(file_key) from files group by all
    union all
    select 'imports', commit_seq, count(*), bit_xor(import_key) from imports group by all
    union all
    select 'refusals', commit_seq, count(*), bit_xor(refusal_key) from refusals group by all
    union all
    select 'sources', commit_seq, count(*), bit_xor(source_key) from sources group by all
    union all
    select 'source_names', commit_seq, count(*), bit_xor(source_name_key) from source_names group by all
    union all
    select 'version_orders', commit_seq, count(*), bit_xor(version_order_key) from version_orders group by all
    union all
    select 'prompts', commit_seq, count(*), bit_xor(prompt_key) from prompts group by all
    union all
    select 'prompt_origins', commit_seq, count(*), bit_xor(origin_key) from prompt_origins group by all
    union all
    select 'prompt_references', commit_seq, count(*), bit_xor(reference_key) from prompt_references group by all
    union all
    select 'settings', commit_seq, count(*), bit_xor(settings_key) from settings group by all
    union all
    select 'responses', commit_seq, count(*), bit_xor(response_key) from responses group by all
    union all
    select 'shown_responses', commit_seq, count(*), bit_xor(response_key) from shown_responses group by all
    union all
    select 'rubrics', commit_seq, count(*), bit_xor(rubric_key) from rubrics group by all
    union all
    select 'judgements', commit_seq, count(*), bit_xor(judgement_key) from judgements group by all
    union all
    select 'scores', commit_seq, count(*), bit_xor(score_key) from scores group by all
    union all
    select 'corrections', commit_seq, count(*), bit_xor(correction_key) from corrections group by all
    union all
    select 'preferences', commit_seq, count(*), bit_xor(preference_key) from preferences group by all
    union all
    select 'recipes', commit_seq, count(*), bit_xor(recipe_key) from recipes group by all
    union all
    select 'builds', commit_seq, count(*), bit_xor(build_key) from builds group by all
    union all
    select 'build_prompts', commit_seq, count(*), bit_xor(build_key) from build_prompts group by all
    union all
    select 'build_shares', commit_seq, count(*), bit_xor(build_key) from build_shares group by all
    union all
    select 'pairs', commit_seq, count(*), bit_xor(pair_key) from pairs group by all
    union all
    select 'build_responses', commit_seq, count(*), bit_xor(response_key) from build_responses group by all
    union all
    select 'build_strata', commit_seq, count(*), bit_xor(build_key) from build_strata group by all
    union all
    select 'build_prompt_strata', commit_seq, count(*), bit_xor(prompt_key) from build_prompt_strata group by all
    union all
    select 'minibatches', commit_seq, count(*), bit_xor(build_key) from minibatches group by all
    union all
    select 'exports', commit_seq, count(*), bit_xor(export_key) from exports group by all
    union all
    select 'artefacts', commit_seq, count(*), bit_xor(artefact_key) from artefacts group by all
    union all
    select 'stages', commit_seq, count(*), bit_xor(stage_key) from stages group by all
    union all
    select 'pair_feedback', commit_seq, count(*), bit_xor(stage_key) from pair_feedback group by all
    union all
    select 'calibrations', commit_seq, count(*), bit_xor(calibration_key) from calibrations group by all
    union all
    select 'calls', commit_seq, count(*), bit_xor(call_key) from calls group by all
    union all
    select 'replies', commit_seq, count(*), bit_xor(call_key) from replies group by all
),
numbered as (
    select
        commit_seq,
        commit_seq - coalesce(lag(commit_seq) over (order by commit_seq), 0) - 1 as n_skipped,
    from commits
),
compared as (
    select
        coalesce(present.commit_seq, logged.commit_seq) as commit_seq,
        coalesce(present.table_name, logged.table_name) as table_name,
        coalesce(logged.n_rows, 0) as n_logged,
        coalesce(present.n_rows, 0) as n_rows,
        present.keys_xor is not distinct from logged.keys_xor as is_same,
    from present
    full join commit_tables as logged
        on logged.commit_seq = present.commit_seq and logged.table_name = present.table_name
)
select
    compared.commit_seq,
    compared.table_name,
    compared.n_logged,
    compared.n_rows,
    case
        when compared.n_logged < compared.n_rows then 'rows that no commit added'
        when compared.n_logged > compared.n_rows then 'rows are missing'
        else 'rows have other keys'
    end as problem,
from compared
where compared.commit_seq >= $first_seq and not (compared.is_same and compared.n_logged = compared.n_rows)
union all
select
    numbered.commit_seq,
    'commits',
    numbered.n_skipped,
    0,
    'commits before it are missing',
from numbered
where numbered.commit_seq >= $first_seq and numbered.n_skipped <> 0
order by commit_seq, table_name
