-- What was asked of models: one row per attempt that ended, accepted or failed. A request is done once it has an
-- accepted row; a failure is evidence, never an answer and never a score.

create table calls (
    call_key ubigint not null,             -- of request, run and attempt
    request_key ubigint not null,          -- of everything that changes the answer
    task varchar not null check (task in ('generate', 'judge')),
    engine varchar not null,               -- openai, vllm, transformers, batch
    endpoint varchar,                      -- without credentials
    model varchar not null,                -- as the engine was asked for it
    attempt integer not null,              -- counted from 1
    prompt_key ubigint not null,
    response_key ubigint,                  -- generate: the answer that came; judge: the answer judged
    judgement_key ubigint,                 -- judge: the words that came
    failure varchar,                       -- its kind; null where the answer was accepted
    detail varchar,
    n_prompt_tokens bigint,
    n_completion_tokens bigint,
    seconds double,
    commit_seq bigint not null,
    check (detail is null or failure is not null),
);

create view v_calls as
select
    tso_id('req', calls.request_key) as request_id,
    calls.task,
    calls.engine,
    calls.endpoint,
    calls.model,
    calls.attempt,
    calls.failure is null as is_accepted,
    calls.failure,
    calls.detail,
    tso_id('p', calls.prompt_key) as prompt_id,
    tso_id('r', calls.response_key) as response_id,
    tso_id('jud', calls.judgement_key) as judgement_id,
    calls.n_prompt_tokens,
    calls.n_completion_tokens,
    calls.seconds,
    tso_id('run', commits.run_key) as run_id,
from calls
join commits on commits.commit_seq = calls.commit_seq;
