-- Which answers are to be judged: those of the sources, of the build and of the data set that are named?
-- params: $sources ubigint[]: the sources; empty for all
--         $build_key ubigint: the build whose pairs or answers they belong to; null for any
--         $dataset varchar: the data set of their prompts; null for all
--         $only_unscored boolean: only answers that nobody has scored yet
--         $shard integer: which part of the prompts, counted from 0
--         $n_shards integer: how many parts there are
-- rows:   one per answer, by prompt
with of_build as (
    select chosen_key as response_key from pairs where build_key = $build_key::ubigint
    union
    select rejected_key from pairs where build_key = $build_key::ubigint
    union
    select response_key from build_responses where build_key = $build_key::ubigint
),
referred as (
    select distinct prompt_key from prompt_references
)
select
    responses.response_key,
    responses.prompt_key,
    responses.source_key,
    responses.text_key,
    responses.sample_index,
    responses.is_empty,
    prompts.n_turns,
    referred.prompt_key is not null as has_reference,
from responses
join prompts on prompts.prompt_key = responses.prompt_key
left join referred on referred.prompt_key = responses.prompt_key
where
    (len($sources::ubigint[]) = 0 or list_contains($sources::ubigint[], responses.source_key))
    and ($build_key::ubigint is null or responses.response_key in (select response_key from of_build))
    and (
        $dataset::varchar is null
        or responses.prompt_key in (select prompt_key from prompt_origins where dataset = $dataset::varchar)
    )
    and (
        not $only_unscored::boolean
        or responses.response_key not in (select response_key from scores where value is not null)
    )
    and responses.prompt_key % $n_shards::integer = $shard::integer
order by responses.prompt_key, responses.source_key, responses.response_key
