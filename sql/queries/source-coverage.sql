-- How many answers has each source given, to how many prompts, and how many prompts does it lack?
-- params: $dataset varchar = null: only the prompts of this data set
-- rows:   one per source with an answer, by label
with asked as (
    select prompt_key
    from prompts
    where
        $dataset::varchar is null
        or prompt_key in (select prompt_key from prompt_origins where dataset = $dataset::varchar)
),
answered as (
    select
        source_key,
        count(*) as n_answers,
        count(*) filter (where is_empty) as n_empty,
        count(distinct prompt_key) as n_prompts,
        avg(n_chars) as mean_chars,
    from responses
    semi join asked using (prompt_key)
    group by source_key
)
select
    sources.label as source,
    sources.kind as source_kind,
    answered.n_answers,
    answered.n_empty,
    answered.n_prompts,
    (select count(*) from asked) - answered.n_prompts as n_missing,
    answered.mean_chars,
from answered
join sources on sources.source_key = answered.source_key
order by sources.label
