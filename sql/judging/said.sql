-- What did judges say, and what is read in it now?
-- params: $judgements ubigint[]: the judgements
-- rows:   one per judgement, by key; counted holds what counts now, by dimension (null for a comparison)
with verdicts as (
    select judgement_key, source_key, dimension, value, reason, parser
    from tso_scores()
    where judgement_key in (select unnest($judgements::ubigint[]))
    union all
    select judgement_key, null, null, preference, reason, parser
    from tso_preferences()
    where judgement_key in (select unnest($judgements::ubigint[]))
),
readings as (
    select
        judgement_key,
        any_value(source_key) as source_key,
        list(
            {'dimension': dimension, 'value': value, 'reason': reason, 'parser': parser} order by dimension, parser
        ) as counted,
    from verdicts
    group by judgement_key
)
select
    judgements.prompt_key,
    judgements.response_key,
    judgements.other_key,
    judgements.judge,
    judgements.judge_kind,
    judgements.rubric_key,
    judgements.sample_index,
    judgements.raw,
    judgements.settings_key,
    judgements.external_id,
    rubrics.name as rubric,
    coalesce(rubrics.scale_min, 0) as scale_min,
    coalesce(rubrics.scale_max, 1) as scale_max,
    coalesce(settings.body->>'$.finish_reason' = 'length', false) as is_cut,
    readings.source_key,
    readings.counted,
from judgements
join rubrics on rubrics.rubric_key = judgements.rubric_key
join readings on readings.judgement_key = judgements.judgement_key
left join settings on settings.settings_key = judgements.settings_key
where judgements.judgement_key in (select unnest($judgements::ubigint[]))
order by judgements.judgement_key
