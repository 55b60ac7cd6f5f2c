-- Which verdicts compare two answers by a pairwise rubric, and how long are the two texts shown?
-- params: $rubric varchar: the rubric's name, or the beginning of names that end in a slash
--         $judge varchar: only this judge; null for all
--         $dataset varchar: only prompts of this data set; null for all
-- rows:   one per verdict, by judge, prompt and key
with verdicts as (
    select
        preferences.judge,
        preferences.prompt_key,
        preferences.response_a_key,
        preferences.response_b_key,
        preferences.preference,
        preferences.preference_key,
    from tso_preferences() as preferences
    join rubrics on rubrics.rubric_key = preferences.rubric_key
    where
        (rubrics.name = $rubric::varchar or starts_with(rubrics.name, $rubric::varchar || '/'))
        and ($judge::varchar is null or preferences.judge = $judge::varchar)
        and ($dataset::varchar is null or preferences.prompt_key in (
            select prompt_key from prompt_origins where dataset = $dataset::varchar
        ))
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
)
select
    verdicts.judge,
    verdicts.prompt_key,
    prompts.text as prompt,
    a_source.label as a,
    b_source.label as b,
    verdicts.preference,
    a.n_chars as a_chars,
    b.n_chars as b_chars,
from verdicts
join prompts on prompts.prompt_key = verdicts.prompt_key
join answers as a on a.response_key = verdicts.response_a_key
join answers as b on b.response_key = verdicts.response_b_key
join sources as a_source on a_source.source_key = a.source_key
join sources as b_source on b_source.source_key = b.source_key
order by verdicts.judge, verdicts.prompt_key, verdicts.preference_key
