-- The strata of a build, how many answers a build of answers holds, and the word for a prompt that gives them.

create table build_strata (
    build_key ubigint not null,
    pool varchar not null,
    stratum varchar not null,
    requested double not null,             -- share of the pool
    available bigint not null,             -- pairs (prompts, where the build has none) that it could give
    realised bigint not null,
    commit_seq bigint not null,
);

create table build_prompt_strata (
    prompt_key ubigint not null,
    build_key ubigint not null,
    stratum varchar not null,
    commit_seq bigint not null,
);

create view v_build_strata as
select
    builds.name as build,
    build_strata.pool,
    build_strata.stratum,
    build_strata.requested,
    build_strata.available,
    build_strata.realised,
from build_strata
join builds on builds.build_key = build_strata.build_key;

create or replace view v_build_prompts as
select
    builds.name as build,
    tso_id('p', build_prompts.prompt_key) as prompt_id,
    -- a build without pairs has selected its prompts; the table keeps one word for both
    case
        when build_prompts.outcome = 'paired' and builds.n_pairs = 0 then 'selected'
        else build_prompts.outcome
    end as outcome,
    build_prompts.reason,
    build_prompt_strata.stratum,
from build_prompts
join builds on builds.build_key = build_prompts.build_key
left join build_prompt_strata
    on build_prompt_strata.build_key = build_prompts.build_key
    and build_prompt_strata.prompt_key = build_prompts.prompt_key;

create or replace view v_builds as
select
    builds.name as build,
    tso_id('bld', builds.build_key) as build_id,
    builds.base,
    tso_id('rec', builds.recipe_key) as recipe_id,
    builds.seed,
    tso_id('snap', builds.snapshot_key) as snapshot_id,
    builds.n_prompts,
    builds.n_pairs,
    (
        select count(*) from build_responses where build_responses.build_key = builds.build_key
    ) as n_responses,
    (select count(*) from minibatches where minibatches.build_key = builds.build_key) as n_minibatches,
    recipes.body as recipe,
    builds.resolved,
    tso_id('run', commits.run_key) as run_id,
from builds
join recipes on recipes.recipe_key = builds.recipe_key
join commits on commits.commit_seq = builds.commit_seq;
