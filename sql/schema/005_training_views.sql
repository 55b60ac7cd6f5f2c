-- The views of training: which stage made which policy from which, on which pairs.

create view v_policies as
select
    tso_id('art', artefacts.artefact_key) as policy_id,
    artefacts.name,
    artefacts.path,
    artefacts.artefact_sha256 as sha256,
    sources.label as source,
    list_transform(artefacts.parent_keys, lambda key: tso_id('art', key)) as parents,
    tso_id('run', commits.run_key) as run_id,
from artefacts
join commits on commits.commit_seq = artefacts.commit_seq
left join sources on sources.source_key = artefacts.source_key
where artefacts.kind = 'policy';

create view v_stages as
select
    tso_id('stg', stages.stage_key) as stage_id,
    builds.name as build,
    stages.minibatch,
    stages.status,
    tso_id('art', stages.reference_artefact_key) as reference_id,
    tso_id('art', stages.policy_artefact_key) as policy_id,
    stages.config,
    tso_id('run', commits.run_key) as run_id,
from stages
join builds on builds.build_key = stages.build_key
join commits on commits.commit_seq = stages.commit_seq;
