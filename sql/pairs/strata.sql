-- In which stratum does each prompt stand?
-- Of a prompt's tags or data sets it is the first by name that has a share, else the first. The shape of its scores is
-- the signs of skewness G1 and excess kurtosis G2 (App. A.1): both summed in the order of keys and rounded, so that
-- neither threads nor the last bits of an even spread decide; zero counts as plus.
-- params: $snapshot_seq bigint: the last commit that the build sees
--         $by varchar: 'tag', 'dataset' or 'quadrant'; null for no strata and no rows
--         $names varchar[]: the strata that have a share of their own; empty for all
--         $none varchar: the stratum of prompts without a tag or a shape
-- rows:   one per prompt
with named as (
    select
        prompt_key,
        unnest(case when $by::varchar = 'tag' then tags else [dataset] end) as name,
    from prompt_origins
    where commit_seq <= $snapshot_seq and $by::varchar in ('tag', 'dataset')
),
firsts as (
    select
        prompt_key,
        coalesce(min(name) filter (where list_contains($names::varchar[], name)), min(name)) as stratum,
    from named
    group by prompt_key
),
shapes as (
    select
        responses.prompt_key,
        round(skewness(scored.value order by scored.response_key), 9) as skew,
        round(kurtosis(scored.value order by scored.response_key), 9) as excess,
    from scored
    join responses on responses.response_key = scored.response_key
    where $by::varchar = 'quadrant'
    group by responses.prompt_key
)
select
    prompts.prompt_key,
    coalesce(
        firsts.stratum,
        case when skew < 0 then 'left' when skew >= 0 then 'right' end
        || case when excess < 0 then '-flat' when excess >= 0 then '-peaked' end,
        $none
    ) as stratum,
from prompts
left join firsts on firsts.prompt_key = prompts.prompt_key
left join shapes on shapes.prompt_key = prompts.prompt_key
where prompts.commit_seq <= $snapshot_seq and $by::varchar is not null
order by prompts.prompt_key
