-- How many eligible prompts has a source not answered, or only with blanks?
-- params: $pool varchar: the pool's name
--         $snapshot_seq bigint: the last commit that the build sees
--         $sources ubigint[]: the sources
--         $stratum varchar: one stratum's prompts; empty for all
-- rows:   one per source that lacks an answer, most lacking first
with asked as (
    select eligible.prompt_key
    from eligible
    left join strata on strata.prompt_key = eligible.prompt_key
    where eligible.reason is null and $stratum::varchar in ('', strata.stratum)
),
answered as (
    select
        responses.source_key,
        count(distinct responses.prompt_key) as n_prompts,
    from responses
    semi join asked on asked.prompt_key = responses.prompt_key
    anti join (select response_key from set_aside where pool = $pool) as aside using (response_key)
    where responses.commit_seq <= $snapshot_seq and not responses.is_empty
    group by responses.source_key
)
select
    sources.label as source,
    (select count(*) from asked) - coalesce(answered.n_prompts, 0) as n_lacking,
from sources
left join answered on answered.source_key = sources.source_key
where list_contains($sources::ubigint[], sources.source_key) and n_lacking > 0
order by n_lacking desc, source
