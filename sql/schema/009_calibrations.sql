-- How a judge's scores are to be read so that they are people's, and who gave which mark to an answer.

create table calibrations (
    calibration_key ubigint not null,
    judge varchar not null,
    rubric varchar not null,               -- its name, as recipes say it: one dimension may be asked in several forms
    dimension varchar not null,
    judged double[] not null,              -- knots, ascending: between two, the map is a straight line
    corrected double[] not null,           -- what people give there; never falling
    n_items bigint not null,               -- answers that it was fitted on
    n_prompts bigint not null,             -- and their prompts
    share double not null,                 -- of prompts that were there to fit on; the others tell how good it is
    seed bigint not null,
    fitted_at timestamp not null,
    commit_seq bigint not null,
    check (len(judged) = len(corrected) and len(judged) > 0),
);

create macro tso_between(x, x0, x1, y0, y1) as if(x1 = x0, y0, y0 + (y1 - y0) * (x - x0) / (x1 - x0));

-- The value of a map at x: its ends where x lies beyond them, else on the line between the two knots beside x.
create macro tso_calibrated(x, judged, corrected) as case
    when x is null or judged is null then x
    when x <= judged[1] then corrected[1]
    when x >= judged[len(judged)] then corrected[len(corrected)]
    else tso_between(
        x,
        judged[len(list_filter(judged, lambda knot: knot <= x))],
        judged[len(list_filter(judged, lambda knot: knot <= x)) + 1],
        corrected[len(list_filter(judged, lambda knot: knot <= x))],
        corrected[len(list_filter(judged, lambda knot: knot <= x)) + 1]
    )
end;

-- Who gave which mark: a judge the mean of its samples, a person or a stronger judge the latest word. Where one rater
-- has both scored and corrected an answer, the correction is the mark.
create view v_marks as
with marks as (
    select
        scores.response_key,
        scores.prompt_key,
        scores.source_key,
        scores.rubric_key,
        scores.dimension,
        scores.judge as rater,
        min(scores.judge_kind) as rater_kind,
        false as is_correction,
        sum(round(scores.value * 1000000)::bigint)::double / count(*) / 1000000 as mark,
        stddev_samp(scores.value) as sd,
        count(*) as n_marks,
        null::varchar as reason,
    from tso_scores() as scores
    where scores.value is not null
    group by all
    union all
    select
        corrections.response_key,
        min(corrections.prompt_key),
        min(coalesce(responses.source_key, shown.source_key)),
        corrections.rubric_key,
        corrections.dimension,
        corrections.author,
        min(corrections.author_kind),
        true,
        arg_max(corrections.value, {'made_at': made_at, 'correction_key': correction_key}),
        null,
        count(*),
        arg_max(struct_pack(reason := corrections.reason), {'made_at': made_at, 'correction_key': correction_key}).reason,
    from corrections
    left join responses on responses.response_key = corrections.response_key
    left join shown_responses as shown on shown.response_key = corrections.response_key
    group by corrections.response_key, corrections.rubric_key, corrections.dimension, corrections.author
)
select
    tso_id('r', marks.response_key) as response_id,
    tso_id('p', marks.prompt_key) as prompt_id,
    sources.label as source,
    marks.rater,
    marks.rater_kind,
    tso_id('rub', marks.rubric_key) as rubric_id,
    rubrics.name as rubric,
    rubrics.scale_min,
    rubrics.scale_max,
    marks.dimension,
    marks.mark,
    marks.sd,
    marks.n_marks,
    marks.is_correction,
    marks.reason,
from marks
join rubrics on rubrics.rubric_key = marks.rubric_key
join sources on sources.source_key = marks.source_key
qualify row_number() over (
    partition by marks.response_key, marks.rubric_key, marks.dimension, marks.rater
    order by marks.is_correction desc
) = 1;

create view v_calibrations as
select
    tso_id('cal', calibrations.calibration_key) as calibration_id,
    calibrations.judge,
    calibrations.rubric,
    calibrations.dimension,
    calibrations.judged,
    calibrations.corrected,
    calibrations.n_items,
    calibrations.n_prompts,
    calibrations.share,
    calibrations.seed,
    calibrations.fitted_at,
    tso_id('run', commits.run_key) as run_id,
from calibrations
join commits on commits.commit_seq = calibrations.commit_seq;

-- Scores through the latest map of their judge, rubric and dimension; those that have one.
create view v_calibrated_marks as
with latest as (
    select
        judge,
        rubric,
        dimension,
        arg_max(struct_pack(calibration_key, judged, corrected), calibrations.commit_seq) as map,
    from calibrations
    group by judge, rubric, dimension
)
select
    v_marks.response_id,
    v_marks.prompt_id,
    v_marks.source,
    v_marks.rater as judge,
    v_marks.rubric,
    v_marks.dimension,
    v_marks.mark,
    tso_calibrated(v_marks.mark, latest.map.judged, latest.map.corrected) as calibrated,
    tso_id('cal', latest.map.calibration_key) as calibration_id,
from v_marks
join latest on
    latest.judge = v_marks.rater
    and latest.rubric = v_marks.rubric
    and latest.dimension = v_marks.dimension
where not v_marks.is_correction;
