-- What is each model's AlpacaEval win rate, as the leaderboard computes it?
--
-- 100 * mean of how much B, the model, is preferred over A, the baseline; verdicts that were not parsed are left out.
-- The standard error is the sample standard deviation over sqrt(n), the length the mean of the texts shown.
-- params: $judge varchar = null: only this annotator
--         $model varchar = null: only this model, by its label or a name that a file used
-- rows:   one per annotator, baseline and model, the best first
with verdicts as (
    select
        preferences.judge,
        preferences.response_a_key,
        preferences.response_b_key,
        1 - preferences.preference as win,
    from tso_preferences() as preferences
    join rubrics on rubrics.rubric_key = preferences.rubric_key
    where rubrics.name = 'alpaca-eval' and ($judge::varchar is null or preferences.judge = $judge::varchar)
),
shown as (
    select response_a_key as response_key from verdicts
    union
    select response_b_key from verdicts
),
answers as (
    select response_key, source_key, n_chars from responses semi join shown using (response_key)
    union
    select response_key, source_key, n_chars from shown_responses semi join shown using (response_key)
),
names as (
    select
        source_key,
        string_agg(name, ', ' order by name) as names,
    from source_names
    group by source_key
)
select
    verdicts.judge,
    coalesce(names.names, model.label) as model,
    model.label as source,
    baseline.label as baseline,
    100 * favg(verdicts.win) as win_rate,
    100 * stddev_samp(verdicts.win) / sqrt(count(verdicts.win)) as standard_error,
    count(verdicts.win) as n,
    count(*) filter (where verdicts.win > 0.5) as n_wins,
    count(*) filter (where verdicts.win < 0.5) as n_losses,
    count(*) filter (where verdicts.win = 0.5) as n_draws,
    count(*) filter (where verdicts.win is null) as n_without,
    floor(avg(b.n_chars))::integer as avg_length,
from verdicts
join answers as a on a.response_key = verdicts.response_a_key
join answers as b on b.response_key = verdicts.response_b_key
join sources as baseline on baseline.source_key = a.source_key
join sources as model on model.source_key = b.source_key
left join names on names.source_key = b.source_key
where $model::varchar is null or list_contains(tso_sources($model::varchar), b.source_key)
group by verdicts.judge, names.names, model.label, baseline.label
order by verdicts.judge, baseline, win_rate desc nulls last, source
