-- In which builds does a pair stand, and how did it get there?
-- params: $pair_key ubigint: the pair
-- rows:   one per build, by name
select
    builds.name as build,
    builds.base,
    builds.seed,
    tso_id('snap', builds.snapshot_key) as snapshot_id,
    pairs.prompt_key,
    pairs.chosen_key,
    pairs.rejected_key,
    pairs.pool,
    pairs.round,
    pairs.chosen_score,
    pairs.rejected_score,
    pairs.split,
    pairs.minibatch,
    build_prompt_strata.stratum,
    tso_id('run', commits.run_key) as run_id,
    runs.command,
from pairs
join builds on builds.build_key = pairs.build_key
join commits on commits.commit_seq = pairs.commit_seq
join runs on runs.run_key = commits.run_key
left join build_prompt_strata
    on build_prompt_strata.build_key = pairs.build_key
    and build_prompt_strata.prompt_key = pairs.prompt_key
where pairs.pair_key = $pair_key
order by builds.name
