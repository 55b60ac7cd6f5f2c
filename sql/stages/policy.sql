-- Which policy did a stage of a build make, and from which build minibatch?
-- params: $build ubigint: the build's key
--         $minibatch integer: the minibatch, counted from 1
-- rows:   one per stage that is done, the newest first
select
    artefacts.artefact_key,
    artefacts.path,
    artefacts.artefact_sha256,
    stages.stage_key,
from stages
join artefacts on artefacts.artefact_key = stages.policy_artefact_key
where stages.build_key = $build and stages.minibatch = $minibatch and stages.status = 'done'
order by stages.commit_seq desc, stages.stage_key
