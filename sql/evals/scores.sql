-- Which scores has each answer by a pointwise rubric, and of which kind is its prompt?
-- params: $rubric varchar: the rubric's name, or the beginning of names that end in a slash
--         $judge varchar: only this judge; null for all
--         $dataset varchar: only prompts of this data set; null for all
-- rows:   one per score, by judge, prompt, source and key
with tagged as (
    select
        prompt_key,
        list_sort(list_distinct(flatten(list(tags)))) as tags,
    from prompt_origins
    group by prompt_key
)
select
    scores.judge,
    scores.prompt_key,
    prompts.n_turns,
    coalesce(tagged.tags, []) as tags,
    sources.label as model,
    scores.dimension,
    scores.value,
from tso_scores() as scores
join rubrics on rubrics.rubric_key = scores.rubric_key
join prompts on prompts.prompt_key = scores.prompt_key
join sources on sources.source_key = scores.source_key
left join tagged on tagged.prompt_key = scores.prompt_key
where
    (rubrics.name = $rubric::varchar or starts_with(rubrics.name, $rubric::varchar || '/'))
    and ($judge::varchar is null or scores.judge = $judge::varchar)
    and ($dataset::varchar is null or scores.prompt_key in (
        select prompt_key from prompt_origins where dataset = $dataset::varchar
    ))
order by scores.judge, scores.prompt_key, model, scores.score_key
