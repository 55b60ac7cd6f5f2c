-- Which answers compete for a pool's places, and what are their scores?
-- params: $snapshot_seq bigint: the last commit that the build sees
--         $sources ubigint[]: who competes
-- rows:   one per answer that is not empty; value null where it has no score
select
    responses.prompt_key,
    responses.response_key,
    scored.value,
from responses
semi join (select prompt_key from eligible where reason is null) as open using (prompt_key)
left join scored on scored.response_key = responses.response_key
where
    responses.commit_seq <= $snapshot_seq
    and not responses.is_empty
    and list_contains($sources::ubigint[], responses.source_key)
order by responses.response_key
