-- Which prompts has a source not answered? An empty answer is one too; source-coverage counts those.
-- params: $source varchar: the source, by its label or a name that a file used
--         $dataset varchar = null: only the prompts of this data set
-- rows:   one per prompt, by data set and prompt
with answered as (
    select prompt_key
    from responses
    semi join (select unnest(tso_sources($source::varchar)) as source_key) as wanted using (source_key)
),
missing as (
    select
        prompts.prompt_key,
        prompts.text,
    from prompts
    anti join answered on answered.prompt_key = prompts.prompt_key
),
origins as (
    select
        prompt_key,
        string_agg(distinct dataset, ',' order by dataset) as datasets,
    from prompt_origins
    semi join missing using (prompt_key)
    group by prompt_key
    having $dataset::varchar is null or bool_or(dataset = $dataset::varchar)
)
select
    tso_id('p', missing.prompt_key) as prompt_id,
    origins.datasets as dataset,
    missing.text,
from missing
left join origins on origins.prompt_key = missing.prompt_key
where $dataset::varchar is null or origins.prompt_key is not null
order by origins.datasets nulls last, missing.prompt_key
