-- Which of the base's answers did the policy of a pool give?
-- The same words given again by a later policy are no new answer: then the call that came to them says so.
-- params: $snapshot_seq bigint: the last commit that the build sees
--         $base varchar: the label of the base
--         $pools varchar[]: the pools that keep to a policy
--         $hashes varchar[]: its sha256, for each of them
-- rows:   one per pool and answer
with asked as (
    select
        unnest($pools::varchar[]) as pool,
        unnest($hashes::varchar[]) as sha256,
),
shaped as (
    select
        asked.pool,
        settings.settings_key,
    from settings
    join asked on asked.sha256 = (try_cast(settings.body as json) ->> '$.revision')
    where settings.commit_seq <= $snapshot_seq
),
given as (
    select
        shaped.pool,
        responses.response_key,
    from responses
    join shaped on shaped.settings_key = responses.settings_key
    union
    select
        shaped.pool,
        calls.response_key,
    from calls
    join shaped on shaped.settings_key = calls.settings_key
    where calls.task = 'generate' and calls.failure is null and calls.commit_seq <= $snapshot_seq
)
select
    given.pool,
    given.response_key,
from given
join responses on responses.response_key = given.response_key
join sources on sources.source_key = responses.source_key
where
    sources.label = $base::varchar
    and responses.commit_seq <= $snapshot_seq
    and len($pools::varchar[]) > 0 -- else every answer would be looked up among none
order by given.pool, given.response_key
