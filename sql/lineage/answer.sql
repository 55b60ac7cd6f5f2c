-- In which builds of answers or lists does an answer stand, and how did it get there?
-- params: $response_key ubigint: the answer
-- rows:   one per build, by name
select
    builds.name as build,
    builds.base,
    builds.seed,
    tso_id('snap', builds.snapshot_key) as snapshot_id,
    build_responses.prompt_key,
    build_responses.response_key,
    build_responses.place,
    build_responses.score,
    build_responses.split,
    build_responses.minibatch,
    build_prompt_strata.stratum,
    tso_id('run', commits.run_key) as run_id,
    runs.command,
from build_responses
join builds on builds.build_key = build_responses.build_key
join commits on commits.commit_seq = build_responses.commit_seq
join runs on runs.run_key = commits.run_key
left join build_prompt_strata
    on build_prompt_strata.build_key = build_responses.build_key
    and build_prompt_strata.prompt_key = build_responses.prompt_key
where build_responses.response_key = $response_key
order by builds.name
