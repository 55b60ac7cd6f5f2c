-- Which of the base's answers does a pool leave aside, because they are not its policy's?
-- params: $snapshot_seq bigint: the last commit that the build sees
--         $base varchar: the label of the base
--         $pools varchar[]: the pools that keep to a policy
-- rows:   one per pool and answer
with asked as (
    select unnest($pools::varchar[]) as pool
)
select
    asked.pool,
    responses.response_key,
from responses
join sources on sources.source_key = responses.source_key
cross join asked
anti join given on given.pool = asked.pool and given.response_key = responses.response_key
where sources.label = $base::varchar and responses.commit_seq <= $snapshot_seq
order by asked.pool, responses.response_key
