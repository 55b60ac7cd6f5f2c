-- Which policy did a stage of a build make?
-- The same pairs may go by several names, each with stages of its own, as where they are trained on with another loss.
-- params: $name varchar: the build's name
--         $minibatch integer: the minibatch, counted from 1
-- rows:   one per stage that is done, the newest first
select
    artefacts.artefact_key,
    artefacts.path,
    artefacts.artefact_sha256,
    stages.stage_key,
from stages
join builds on builds.build_key = stages.build_key
join artefacts on artefacts.artefact_key = stages.policy_artefact_key
where
    builds.name = $name
    and stages.minibatch = $minibatch
    and stages.status = 'done'
    and artefacts.name = $name || '/' || $minibatch::integer
order by stages.commit_seq desc, stages.stage_key
