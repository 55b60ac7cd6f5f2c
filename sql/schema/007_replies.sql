-- What the other side, or our own template, told of an accepted call: one row per call of which anything is known.

create table replies (
    call_key ubigint not null,
    served_model varchar,                  -- the model's name in the reply, which need not be the one asked for
    prompt_sha256 varchar,                 -- of the prompt as this side rendered it; null where an endpoint does
    commit_seq bigint not null,
);

create view v_replies as
select
    tso_id('req', calls.request_key) as request_id,
    calls.task,
    calls.engine,
    calls.model,
    replies.served_model,
    replies.prompt_sha256,
    tso_id('r', calls.response_key) as response_id,
    tso_id('jud', calls.judgement_key) as judgement_id,
    tso_id('run', commits.run_key) as run_id,
from replies
join calls on calls.call_key = replies.call_key
join commits on commits.commit_seq = replies.commit_seq;
