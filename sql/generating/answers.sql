-- What has a cell answered to these prompts, to be the turns before?
-- params: $source ubigint: the cell's key
--         $prompts ubigint[]: the prompts' keys
-- rows:   one per answer, the newest of each draw first
with registered as (
    select coalesce(max(commit_seq), 0) as commit_seq
    from artefacts
    where kind = 'policy' and source_key = $source
),
called as (
    select
        response_key,
        max(commit_seq) as commit_seq,
    from calls
    where task = 'generate' and failure is null
    group by response_key
)
select
    responses.response_key,
    responses.prompt_key,
    responses.sample_index,
    responses.text,
    responses.previous_key,
    greatest(responses.commit_seq, coalesce(called.commit_seq, 0)) < registered.commit_seq as is_stale,
from responses
cross join registered
left join called on called.response_key = responses.response_key
where responses.source_key = $source and responses.prompt_key in (select unnest($prompts::ubigint[]))
order by
    responses.prompt_key,
    responses.sample_index,
    greatest(responses.commit_seq, coalesce(called.commit_seq, 0)) desc,
    responses.response_key
