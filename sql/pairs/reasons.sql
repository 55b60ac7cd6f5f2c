-- Why does a pool give no more pairs? A prompt counts once, by the reason of its first round.
-- params: $pool varchar: the pool
--         $stratum varchar: one stratum's prompts; empty for all
-- rows:   one per reason, most frequent first
with ended as (
    select
        judged.prompt_key,
        bool_or(judged.reason is null) as is_usable,
        arg_min(judged.reason, judged.round) as reason,
    from judged
    left join strata on strata.prompt_key = judged.prompt_key
    where judged.pool = $pool and $stratum::varchar in ('', strata.stratum)
    group by judged.prompt_key
)
select
    case when ended.is_usable then 'other_pool' else ended.reason end as reason,
    count(*) as n_prompts,
from ended
left join assigned on assigned.prompt_key = ended.prompt_key
where not ended.is_usable or assigned.pool <> $pool
group by all
order by n_prompts desc, reason
