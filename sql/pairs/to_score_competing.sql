-- Which answers compete by their scores?
-- params: $snapshot_seq bigint: the last commit that the build sees
--         $sources ubigint[]: who competes
--         $everybody boolean: whether all answers count, whoever gave them
--         $prompt_key ubigint: one prompt; null for all
-- rows:   one per answer
select
    responses.response_key,
from responses
where
    responses.commit_seq <= $snapshot_seq
    and ($everybody::boolean or list_contains($sources::ubigint[], responses.source_key))
    and ($prompt_key::ubigint is null or responses.prompt_key = $prompt_key::ubigint)
order by responses.response_key
