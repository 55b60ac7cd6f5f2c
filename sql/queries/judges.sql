-- Who has judged what, how often, how often without a verdict and why, and with which mean and spread?
--
-- A preference's value is how much the answer shown first is preferred: a mean away from 0.5 may be a liking for places.
-- params: none
-- rows:   one per judge, rubric, verdict and dimension, by these
with verdicts as (
    select 'score' as verdict, judge, judge_kind, rubric_key, dimension, value, reason from tso_scores() as scores
    union all
    select 'preference', judge, judge_kind, rubric_key, null, preference, reason from tso_preferences() as preferences
),
by_reason as (
    select
        verdict,
        judge,
        judge_kind,
        rubric_key,
        dimension,
        reason,
        count(*) as n,
        favg(value) as mean,
        stddev_samp(value) as sd,
        min(value) as lowest,
        max(value) as highest,
    from verdicts
    group by all
)
select
    by_reason.judge,
    by_reason.judge_kind,
    rubrics.name as rubric,
    by_reason.verdict,
    by_reason.dimension,
    sum(by_reason.n)::bigint as n,
    coalesce(sum(by_reason.n) filter (where by_reason.reason is not null), 0)::bigint as n_without,
    string_agg(by_reason.reason || ': ' || by_reason.n, ', ' order by by_reason.reason) as reasons,
    any_value(by_reason.mean) as mean,
    any_value(by_reason.sd) as sd,
    any_value(by_reason.lowest) as lowest,
    any_value(by_reason.highest) as highest,
from by_reason
join rubrics on rubrics.rubric_key = by_reason.rubric_key
group by
    by_reason.judge,
    by_reason.judge_kind,
    by_reason.rubric_key,
    rubrics.name,
    by_reason.verdict,
    by_reason.dimension
order by by_reason.judge, rubrics.name, by_reason.verdict, by_reason.dimension, by_reason.judge_kind, by_reason.rubric_key
