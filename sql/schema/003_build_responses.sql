-- What a build holds beside pairs: the answers that supervised tuning takes (best of n, above a threshold), and ranked
-- lists of a prompt's answers.

create table build_responses (
    response_key ubigint not null,
    build_key ubigint not null,
    prompt_key ubigint not null,
    source_key ubigint not null,
    place integer not null,                -- on its prompt, counted from 1, the best first
    score double,
    split varchar not null check (split in ('train', 'held_out')),
    minibatch integer,                     -- counted from 1; null for held-out prompts
    commit_seq bigint not null,
    check ((split = 'train') = (minibatch is not null)),
);

create view v_build_responses as
select
    builds.name as build,
    tso_id('p', build_responses.prompt_key) as prompt_id,
    tso_id('r', build_responses.response_key) as response_id,
    sources.label as source,
    build_responses.place,
    build_responses.score,
    build_responses.split,
    build_responses.minibatch,
from build_responses
join builds on builds.build_key = build_responses.build_key
join sources on sources.source_key = build_responses.source_key;
