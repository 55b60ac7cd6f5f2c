-- What is each model's MT-Bench score, as FastChat computes it?
--
-- Scores that were not parsed are left out; the average is the mean of all the others, not of the two turns' means.
-- params: $judge varchar = null: only this judge
--         $model varchar = null: only this model, by its label or a name that a file used
-- rows:   one per judge and model, the best first
with names as (
    select
        source_key,
        string_agg(name, ', ' order by name) as names,
    from source_names
    group by source_key
)
select
    scores.judge,
    coalesce(names.names, sources.label) as model,
    sources.label as source,
    favg(scores.value) filter (where prompts.n_turns = 1) as turn_1,
    favg(scores.value) filter (where prompts.n_turns = 2) as turn_2,
    favg(scores.value) as average,
    count(scores.value) as n,
    count(*) filter (where scores.value is null) as n_without,
from tso_scores() as scores
join rubrics on rubrics.rubric_key = scores.rubric_key
join prompts on prompts.prompt_key = scores.prompt_key
join sources on sources.source_key = scores.source_key
left join names on names.source_key = scores.source_key
where
    starts_with(rubrics.name, 'mt-bench/')
    and ($judge::varchar is null or scores.judge = $judge::varchar)
    and ($model::varchar is null or list_contains(tso_sources($model::varchar), scores.source_key))
group by scores.judge, names.names, sources.label
order by scores.judge, average desc nulls last, source
