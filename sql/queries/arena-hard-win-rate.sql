-- What is each model's Arena-Hard score, as version 0.1 computes it against one baseline?
--
-- 100 * (votes for the model + half the ties) / all votes, over both orders; a verdict of `>>` is three votes, a tie
-- one, and a verdict that was not parsed none. This is the win rate of upstream's Bradley-Terry fit with one baseline.
-- params: $baseline varchar = gpt-4-0314: the model to compare with, by its label or a name that a file used
--         $judge varchar = null: only this judge
--         $model varchar = null: only this model, by its label or a name that a file used
-- rows:   one per judge, baseline and model, the best first
with verdicts as (
    select
        preferences.judge,
        preferences.response_a_key,
        preferences.response_b_key,
        preferences.preference,
    from tso_preferences() as preferences
    join rubrics on rubrics.rubric_key = preferences.rubric_key
    where rubrics.name = 'arena-hard' and ($judge::varchar is null or preferences.judge = $judge::varchar)
),
shown as (
    select response_a_key as response_key from verdicts
    union
    select response_b_key from verdicts
),
answers as (
    select response_key, source_key from responses semi join shown using (response_key)
    union
    select response_key, source_key from shown_responses semi join shown using (response_key)
),
games as (
    select
        verdicts.judge,
        a.source_key as baseline_key,
        b.source_key as model_key,
        1 - verdicts.preference as win,
    from verdicts
    join answers as a on a.response_key = verdicts.response_a_key
    join answers as b on b.response_key = verdicts.response_b_key
    union all
    select
        verdicts.judge,
        b.source_key,
        a.source_key,
        verdicts.preference,
    from verdicts
    join answers as a on a.response_key = verdicts.response_a_key
    join answers as b on b.response_key = verdicts.response_b_key
),
voted as (
    select
        judge,
        baseline_key,
        model_key,
        win,
        case when win in (0, 1) then 3 when win is not null then 1 end as n_votes,
    from games
    where
        list_contains(tso_sources($baseline::varchar), baseline_key)
        and not list_contains(tso_sources($baseline::varchar), model_key)
        and ($model::varchar is null or list_contains(tso_sources($model::varchar), model_key))
),
names as (
    select
        source_key,
        string_agg(name, ', ' order by name) as names,
    from source_names
    group by source_key
)
select
    voted.judge,
    coalesce(names.names, model.label) as model,
    model.label as source,
    baseline.label as baseline,
    100 * sum(voted.n_votes * case when voted.win > 0.5 then 1 when voted.win = 0.5 then 0.5 else 0 end)::double
    / sum(voted.n_votes)::double as win_rate,
    sum(voted.n_votes)::bigint as n_votes,
    count(voted.win) as n_verdicts,
    count(*) filter (where voted.win > 0.5) as n_wins,
    count(*) filter (where voted.win < 0.5) as n_losses,
    count(*) filter (where voted.win = 0.5) as n_ties,
    count(*) filter (where voted.win is null) as n_without,
from voted
join sources as model on model.source_key = voted.model_key
join sources as baseline on baseline.source_key = voted.baseline_key
left join names on names.source_key = voted.model_key
group by voted.judge, names.names, model.label, baseline.label
order by voted.judge, baseline, win_rate desc nulls last, source
