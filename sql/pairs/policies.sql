-- Which weights does a policy's name, id or hash stand for?
-- Weights that nobody has registered are known by their answers.
-- params: $policy varchar: the name, the id or the sha256
--         $snapshot_seq bigint: the last commit that the build sees
-- rows:   one per hash, with the id of its oldest policy, else the hash itself, to tell them apart
with found as (
    select
        artefact_sha256 as sha256,
        arg_min(tso_id('art', artefact_key), {'commit_seq': commit_seq, 'artefact_key': artefact_key}) as told,
    from artefacts
    where
        kind = 'policy'
        and commit_seq <= $snapshot_seq
        and $policy::varchar in (name, tso_id('art', artefact_key), artefact_sha256)
    group by artefact_sha256
    union all
    select distinct
        $policy::varchar,
        $policy::varchar,
    from settings
    where
        (try_cast(body as json) ->> '$.revision') = $policy::varchar
        and regexp_full_match($policy::varchar, '[0-9a-f]{64}')
        and commit_seq <= $snapshot_seq
)
select
    sha256,
    min(told) as told,
from found
group by sha256
order by sha256
