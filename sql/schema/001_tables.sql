-- The tables of a store. Every table is append-only; its first column is its key.
--
-- Keys are the first 64 bits of a sha256 over the row's content, so the same content has the same key on every
-- machine, and importing twice adds nothing. People and programs outside the store see them as ids: tso_id('r', key)
-- gives 'r1-' and 16 hex digits, where 1 names the algorithm. Uniqueness is kept by anti-join at the one place that
-- appends (store.py), not by an index: indexes over random keys cost 4 to 11 times the insert.
--
-- commit_seq points to commits, and from there to the run and the file that a row came from.

create macro tso_id(prefix, key) as prefix || '1-' || format('{:016x}', key);

-- splitmix64 (Steele, Lea, Flood 2014), bit-equal to the 64-bit integer arithmetic of numpy, and the exponential race
-- of Efraimidis and Spirakis (2006): the smallest -ln(u)/w wins with probability proportional to w.
create macro tso_seq64(id, seed) as ((id::uhugeint * 11400714819323198485::uhugeint + seed::uhugeint) & 18446744073709551615::uhugeint)::ubigint;
create macro tso_mix1(z) as ((xor(z, z >> 30)::uhugeint * 13787848793156543929::uhugeint) & 18446744073709551615::uhugeint)::ubigint;
create macro tso_mix2(z) as ((xor(z, z >> 27)::uhugeint * 10723151780598845931::uhugeint) & 18446744073709551615::uhugeint)::ubigint;
create macro tso_fin64(z) as xor(z, z >> 31);
create macro tso_hash64(id, seed) as tso_fin64(tso_mix2(tso_mix1(tso_seq64(id, seed))));
create macro tso_u01(h) as ((h >> 11)::double + 0.5::double) * 1.1102230246251565e-16::double;
create macro tso_race(id, seed, weight) as -ln(tso_u01(tso_hash64(id, seed))) / weight::double;

-- Who did what ------------------------------------------------------------------------------------------------------

create table runs (
    run_key ubigint primary key,
    command varchar not null,
    arguments varchar not null,            -- JSON
    config_sha256 varchar not null,
    seed bigint,
    versions varchar not null,             -- JSON: tso, python, duckdb, polars, ...
    started_at timestamp not null,         -- UTC
    commit_seq bigint not null,
);

create table run_outcomes (
    run_key ubigint not null,
    status varchar not null check (status in ('done', 'failed', 'interrupted')),
    detail varchar,
    ended_at timestamp not null,
    commit_seq bigint not null,
);

create table commits (
    commit_seq bigint primary key,
    run_key ubigint not null,
    file_key ubigint,
    committed_at timestamp not null,
);

create table commit_tables (
    commit_seq bigint not null,
    table_name varchar not null,
    n_rows bigint not null,
    keys_xor ubigint not null,             -- bit_xor over the first column of the rows added
);

create table files (
    file_key ubigint not null,
    path varchar not null,
    file_sha256 varchar not null,
    n_bytes bigint not null,
    commit_seq bigint not null,
);

create table imports (
    import_key ubigint not null,
    run_key ubigint not null,
    file_key ubigint not null,
    format varchar not null,
    n_accepted bigint not null,
    n_present bigint not null,
    n_skipped bigint not null,
    n_failed bigint not null,
    commit_seq bigint not null,
);

create table refusals (
    refusal_key ubigint not null,
    run_key ubigint not null,
    file_key ubigint not null,
    line bigint not null,                  -- line or row, counted from 1
    status varchar not null check (status in ('skipped', 'failed')),
    reason varchar not null,
    detail varchar not null,
    commit_seq bigint not null,
);

-- Who answers -------------------------------------------------------------------------------------------------------

create table sources (
    source_key ubigint not null,
    kind varchar not null check (kind in ('model', 'human')),
    label varchar not null,                -- 'vicuna/v1.5/13', 'human'
    family varchar,
    version varchar,
    size_b double,                         -- billions of parameters
    commit_seq bigint not null,
);

create table source_names (
    source_name_key ubigint not null,
    source_key ubigint not null,
    name varchar not null,                 -- the name a file used for it
    commit_seq bigint not null,
);

create table version_orders (
    version_order_key ubigint not null,
    family varchar not null,
    versions varchar[] not null,           -- oldest first
    stated_by varchar not null,
    commit_seq bigint not null,
);

-- What was asked and answered ---------------------------------------------------------------------------------------

create table prompts (
    prompt_key ubigint not null,
    messages struct(role varchar, content varchar)[] not null,
    text varchar not null,                 -- the user's words; a transcript where there is more than one message
    n_turns integer not null,              -- turns of the user
    own_turns boolean not null,            -- holds assistant turns to be filled by the answering source itself
    commit_seq bigint not null,
);

create table prompt_origins (
    origin_key ubigint not null,
    prompt_key ubigint not null,
    dataset varchar not null,
    external_id varchar,
    tags varchar[] not null,
    commit_seq bigint not null,
);

create table prompt_references (
    reference_key ubigint not null,
    prompt_key ubigint not null,
    author varchar not null,
    text varchar not null,
    commit_seq bigint not null,
);

create table settings (
    settings_key ubigint not null,
    body varchar not null,                 -- JSON: sampling parameters, template, whatever shaped the text
    commit_seq bigint not null,
);

create table responses (
    response_key ubigint not null,
    prompt_key ubigint not null,
    source_key ubigint not null,
    text varchar not null,
    text_key ubigint not null,             -- of the text without blanks at its edges: equal answers share it
    n_chars integer not null,
    is_empty boolean not null,             -- nothing but blanks
    sample_index integer not null,
    settings_key ubigint,
    seed bigint,
    finish_reason varchar,
    previous_key ubigint,                  -- the source's own answer to the turn before
    external_id varchar,
    commit_seq bigint not null,
);

-- Answers known only because a judge's verdict shows them. They are evidence, not material: never drawn, never counted
-- in the matrix. The same text imported as an answer has the same key.
create table shown_responses (
    response_key ubigint not null,
    prompt_key ubigint not null,
    source_key ubigint not null,
    text varchar not null,
    text_key ubigint not null,
    n_chars integer not null,
    is_empty boolean not null,
    sample_index integer not null,
    settings_key ubigint,
    seed bigint,
    finish_reason varchar,
    previous_key ubigint,
    external_id varchar,
    commit_seq bigint not null,
);

-- What was thought of it --------------------------------------------------------------------------------------------

create table rubrics (
    rubric_key ubigint not null,
    name varchar not null,
    kind varchar not null check (kind in ('pointwise', 'pairwise')),
    scale_min double,
    scale_max double,
    template varchar,
    commit_seq bigint not null,
);

create table judgements (
    judgement_key ubigint not null,
    prompt_key ubigint not null,
    response_key ubigint not null,         -- pairwise: the answer named first
    other_key ubigint,                     -- pairwise: the answer named second
    judge varchar not null,
    judge_kind varchar not null check (judge_kind in ('model', 'human')),
    rubric_key ubigint not null,
    sample_index integer not null,
    raw varchar,                           -- the judge's words, untouched
    settings_key ubigint,
    external_id varchar,
    commit_seq bigint not null,
);

create table scores (
    score_key ubigint not null,
    judgement_key ubigint,
    prompt_key ubigint not null,
    source_key ubigint not null,
    response_key ubigint not null,
    judge varchar not null,
    judge_kind varchar not null check (judge_kind in ('model', 'human')),
    rubric_key ubigint not null,
    dimension varchar not null,
    sample_index integer not null,
    value double check (value is null or isfinite(value)),
    reason varchar,                        -- why there is no value
    parser varchar not null,               -- which parser version read it, or 'imported'
    commit_seq bigint not null,
    check ((value is null) <> (reason is null)),
);

create table corrections (
    correction_key ubigint not null,
    prompt_key ubigint not null,
    response_key ubigint not null,
    rubric_key ubigint not null,
    dimension varchar not null,
    value double not null check (isfinite(value)),
    author varchar not null,
    author_kind varchar not null check (author_kind in ('model', 'human')),
    reason varchar,
    made_at timestamp not null,
    commit_seq bigint not null,
);

create table preferences (
    preference_key ubigint not null,
    judgement_key ubigint,
    prompt_key ubigint not null,
    response_a_key ubigint not null,
    response_b_key ubigint not null,
    judge varchar not null,
    judge_kind varchar not null check (judge_kind in ('model', 'human')),
    rubric_key ubigint not null,
    preference double check (preference between 0 and 1),  -- how much A is preferred over B: 1 A, 0.5 tie, 0 B
    is_hard boolean not null,
    reason varchar,                        -- why there is no preference
    parser varchar not null,
    commit_seq bigint not null,
    check ((preference is null) <> (reason is null)),
);

-- Pairs -------------------------------------------------------------------------------------------------------------

create table recipes (
    recipe_key ubigint not null,
    body varchar not null,                 -- JSON
    commit_seq bigint not null,
);

create table builds (
    build_key ubigint not null,            -- of (snapshot, resolved recipe, seed): the same on every machine
    name varchar not null,
    recipe_key ubigint not null,
    resolved varchar not null,             -- JSON: base, order of versions, weight of every source, score selection
    base varchar not null,
    seed bigint not null,
    snapshot_key ubigint not null,
    snapshot_seq bigint not null,          -- the last commit the build has seen, in this store
    n_prompts bigint not null,
    n_pairs bigint not null,
    pairs_xor ubigint not null,
    commit_seq bigint not null,
);

create table build_prompts (
    build_key ubigint not null,
    prompt_key ubigint not null,
    outcome varchar not null check (outcome in ('paired', 'skipped')),
    reason varchar,
    commit_seq bigint not null,
    check ((outcome = 'paired') = (reason is null)),
);

create table build_shares (
    build_key ubigint not null,
    pool varchar not null,
    side varchar not null check (side in ('chosen', 'rejected')),
    source_key ubigint not null,
    requested double,                      -- share asked for; null where the scores decide
    expected double,                       -- pairs to expect once each prompt renormalises over the sources it has
    realised bigint not null,              -- pairs drawn
    commit_seq bigint not null,
);

create table pairs (
    pair_key ubigint not null,             -- of (prompt, chosen, rejected): one pair has one id in all builds
    build_key ubigint not null,
    prompt_key ubigint not null,
    chosen_key ubigint not null,
    rejected_key ubigint not null,
    chosen_source_key ubigint not null,
    rejected_source_key ubigint not null,
    pool varchar not null,
    round integer not null,                -- which of the prompt's pairs, counted from 1
    chosen_score double,
    rejected_score double,
    split varchar not null check (split in ('train', 'held_out')),
    minibatch integer,                     -- counted from 1; null for held-out prompts
    commit_seq bigint not null,
    check (chosen_key <> rejected_key),
    check ((split = 'train') = (minibatch is not null)),
);

create table minibatches (
    build_key ubigint not null,
    minibatch integer not null,
    n_prompts bigint not null,
    n_pairs bigint not null,
    commit_seq bigint not null,
);

create table exports (
    export_key ubigint not null,
    build_key ubigint not null,
    format varchar not null,
    directory varchar not null,
    manifest_sha256 varchar not null,
    n_rows bigint not null,
    n_refused bigint not null,
    commit_seq bigint not null,
);

-- Training ----------------------------------------------------------------------------------------------------------

create table artefacts (
    artefact_key ubigint not null,
    kind varchar not null check (kind in ('policy', 'judge', 'reference_logprobs')),
    name varchar not null,
    path varchar not null,
    artefact_sha256 varchar not null,
    source_key ubigint,                    -- the matrix cell that a policy stands in from now on
    parent_keys ubigint[] not null,
    commit_seq bigint not null,
);

create table stages (
    stage_key ubigint not null,
    build_key ubigint not null,
    minibatch integer not null,
    reference_artefact_key ubigint,
    policy_artefact_key ubigint,
    config varchar not null,               -- JSON
    status varchar not null check (status in ('started', 'done', 'diverged')),
    commit_seq bigint not null,
);

create table pair_feedback (
    stage_key ubigint not null,
    pair_key ubigint not null,
    epoch integer not null,
    chosen_reward double not null,
    rejected_reward double not null,
    chosen_clipped boolean not null,
    rejected_clipped boolean not null,
    loss double not null,
    commit_seq bigint not null,
);
