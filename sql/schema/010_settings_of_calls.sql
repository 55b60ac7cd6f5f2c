-- Which settings an attempt went by, the model's revision among them. A policy that gives an answer again word for word
-- adds no answer: then the call alone tells that this policy gave it.

alter table calls add column settings_key ubigint;  -- generate; null for judges, and in rows from before

create or replace view v_calls as
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
    tso_id('set', calls.settings_key) as settings_id,
    settings.body as settings,
    calls.n_prompt_tokens,
    calls.n_completion_tokens,
    calls.seconds,
    tso_id('run', commits.run_key) as run_id,
from calls
join commits on commits.commit_seq = calls.commit_seq
left join settings on settings.settings_key = calls.settings_key;
