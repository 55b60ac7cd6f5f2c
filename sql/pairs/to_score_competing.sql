-- Whose scores are needed before pairs are drawn: which answers compete by score?
-- params: $snapshot_seq bigint: the last commit that the build sees
--         $sources ubigint[]: who competes
-- rows:   one per answer
select
    responses.response_key,
from responses
where
    responses.commit_seq <= $snapshot_seq
    and list_contains($sources::ubigint[], responses.source_key)
order by responses.response_key
