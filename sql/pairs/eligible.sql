-- Which prompts may give a pair, and why not the others?
-- params: $snapshot_seq bigint: the last commit that the build sees
--         $datasets varchar[]: data sets to take from; empty for all
--         $tags varchar[]: tags to take, any of them; empty for all
--         $required_names varchar[]: who must have answered, one name for each source in $required_sources
--         $required_sources ubigint[]: the sources behind those names
--         $n_required integer: how many different names must be met
--         $strata varchar[]: the strata that have a share; empty for all
--         $build ubigint: the build whose prompts alone are taken; null for all prompts
--         $minibatch integer: and of which minibatch of it
-- rows:   one per prompt, reason null where it is eligible
with required as (
    select
        unnest($required_names::varchar[]) as name,
        unnest($required_sources::ubigint[]) as source_key,
),
origins as (
    select
        prompt_key,
        bool_or(len($datasets::varchar[]) = 0 or list_contains($datasets::varchar[], dataset)) as has_dataset,
        bool_or(len($tags::varchar[]) = 0 or list_has_any(tags, $tags::varchar[])) as has_tag,
    from prompt_origins
    where commit_seq <= $snapshot_seq and len($datasets::varchar[]) + len($tags::varchar[]) > 0
    group by prompt_key
),
answered as (
    select
        responses.prompt_key,
        count(distinct required.name) as n_names,
    from responses
    join required on required.source_key = responses.source_key
    where responses.commit_seq <= $snapshot_seq and not responses.is_empty
    group by responses.prompt_key
),
within as (
    select prompt_key from pairs where build_key = $build::ubigint and minibatch = $minibatch::integer
    union
    select prompt_key from build_responses where build_key = $build::ubigint and minibatch = $minibatch::integer
)
select
    prompts.prompt_key,
    case
        when prompts.own_turns then 'own_turns'
        when $build::ubigint is not null and within.prompt_key is null then 'minibatch'
        when not coalesce(origins.has_dataset, len($datasets::varchar[]) = 0) then 'dataset'
        when not coalesce(origins.has_tag, len($tags::varchar[]) = 0) then 'tags'
        when coalesce(answered.n_names, 0) < $n_required then 'answered_by'
        when len($strata::varchar[]) > 0 and not list_contains($strata::varchar[], strata.stratum) then 'stratum'
    end as reason,
from prompts
left join within on within.prompt_key = prompts.prompt_key
left join origins on origins.prompt_key = prompts.prompt_key
left join answered on answered.prompt_key = prompts.prompt_key
left join strata on strata.prompt_key = prompts.prompt_key
where prompts.commit_seq <= $snapshot_seq
order by prompts.prompt_key
