-- What share of the baseline's score does each model reach in QLoRA's Vicuna study, in percent?
--
-- 100 * sum of the model's scores / sum of the baseline's, over the verdicts that were parsed; for each order in which
-- the two answers were shown, then the mean of both orders. QLoRA's table rounds to two decimals before the mean and
-- after it, half to even: that figure stands in as_published.
-- params: $baseline varchar = answer_gpt35: the model to compare with, by its label or a name that a file used
--         $judge varchar = null: only this judge
-- rows:   one per judge and model, the best first
with rated as (
    select
        scores.judge,
        scores.judgement_key,
        scores.source_key,
        scores.value,
        scores.response_key = judgements.response_key as is_first,
        list_contains(tso_sources($baseline::varchar), scores.source_key) as is_baseline,
    from tso_scores() as scores
    join rubrics on rubrics.rubric_key = scores.rubric_key
    join judgements on judgements.judgement_key = scores.judgement_key
    where rubrics.name = 'qlora-relative' and ($judge::varchar is null or scores.judge = $judge::varchar)
),
by_order as (
    select
        model.judge,
        model.source_key,
        100 * fsum(model.value) filter (where model.is_first)
        / fsum(baseline.value) filter (where model.is_first) as shown_first,
        100 * fsum(model.value) filter (where not model.is_first)
        / fsum(baseline.value) filter (where not model.is_first) as shown_second,
        count(model.value) filter (where model.is_first) as n_first,
        count(model.value) filter (where not model.is_first) as n_second,
        count(*) filter (where model.value is null) as n_without,
    from rated as model
    join rated as baseline on baseline.judgement_key = model.judgement_key
    where baseline.is_baseline and not model.is_baseline
    group by model.judge, model.source_key
),
names as (
    select
        source_key,
        string_agg(name, ', ' order by name) as names,
    from source_names
    group by source_key
)
select
    by_order.judge,
    coalesce(names.names, sources.label) as model,
    sources.label as source,
    (by_order.shown_first + by_order.shown_second) / 2 as relative_score,
    round_even((round_even(by_order.shown_first, 2) + round_even(by_order.shown_second, 2)) / 2, 2) as as_published,
    by_order.shown_first,
    by_order.shown_second,
    by_order.n_first,
    by_order.n_second,
    by_order.n_without,
from by_order
join sources on sources.source_key = by_order.source_key
left join names on names.source_key = by_order.source_key
order by by_order.judge, relative_score desc nulls last, source
