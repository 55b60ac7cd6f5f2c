-- How has each prompt ended: paired, or skipped for which reason?
-- params: $build_key ubigint: the build
-- rows:   one per prompt
with drawn_reasons as (
    select
        prompt_key,
        bool_or(reason is null) as is_usable,
        count(distinct pool) as n_pools,
        string_agg(distinct reason, ', ' order by reason) as plain,
        string_agg(distinct pool || ' ' || reason, ', ' order by pool || ' ' || reason) as by_pool,
        count(distinct reason) as n_reasons,
    from judged
    anti join split using (prompt_key)
    group by prompt_key
)
select
    $build_key::ubigint as build_key,
    eligible.prompt_key,
    case when split.prompt_key is null then 'skipped' else 'paired' end as outcome,
    case
        when split.prompt_key is not null then null
        when eligible.reason is not null then eligible.reason
        when drawn_reasons.is_usable then 'over_quota'
        when drawn_reasons.n_reasons = 1 or drawn_reasons.n_pools = 1 then drawn_reasons.plain
        else drawn_reasons.by_pool
    end as reason,
from eligible
left join drawn_reasons on drawn_reasons.prompt_key = eligible.prompt_key
left join split on split.prompt_key = eligible.prompt_key
order by eligible.prompt_key
