-- What is known of one answer: where it came from, what was thought of it, where it stands?
--
-- A preference's value is how much this answer is preferred, 0 to 1; a pair's is the score it was drawn on.
-- params: $response varchar: the answer's id
-- rows:   one per fact: the prompt, the answer, its settings, then verdicts, corrections and pairs
with wanted as (
    select tso_key('r', $response::varchar) as response_key
),
known as (
    select 'answer' as fact, * from responses semi join wanted using (response_key)
    union all
    select 'shown to a judge', * from shown_responses semi join wanted using (response_key)
),
sides as (
    select 'chosen' as side, * from pairs where chosen_key = (select response_key from wanted)
    union all
    select 'rejected' as side, * from pairs where rejected_key = (select response_key from wanted)
),
facts as (
    select
        1 as position,
        'prompt' as fact,
        tso_id('p', prompts.prompt_key) as who,
        null::double as value,
        prompts.text as detail,
        prompts.commit_seq,
    from prompts
    where prompts.prompt_key in (select prompt_key from known)
    union all
    select 2, known.fact, sources.label, null, known.text, known.commit_seq
    from known
    join sources on sources.source_key = known.source_key
    union all
    select
        3,
        'settings',
        concat_ws(', ', 'seed ' || known.seed, 'ended by ' || known.finish_reason, 'sample ' || known.sample_index),
        null,
        settings.body,
        known.commit_seq
    from known
    left join settings on settings.settings_key = known.settings_key
    union all
    select 4, 'answer before', tso_id('r', known.previous_key), null, null, known.commit_seq
    from known
    where known.previous_key is not null
    union all
    select
        5,
        'score',
        scores.judge,
        scores.value,
        concat_ws(', ', rubrics.name, scores.dimension, scores.reason),
        scores.commit_seq
    from scores
    join rubrics on rubrics.rubric_key = scores.rubric_key
    where scores.response_key = (select response_key from wanted)
    union all
    select
        6,
        'preference',
        preferences.judge,
        preferences.preference,
        concat_ws(', ', rubrics.name, 'over ' || tso_id('r', preferences.response_b_key), preferences.reason),
        preferences.commit_seq
    from preferences
    join rubrics on rubrics.rubric_key = preferences.rubric_key
    where preferences.response_a_key = (select response_key from wanted)
    union all
    select
        6,
        'preference',
        preferences.judge,
        1 - preferences.preference,
        concat_ws(', ', rubrics.name, 'over ' || tso_id('r', preferences.response_a_key), preferences.reason),
        preferences.commit_seq
    from preferences
    join rubrics on rubrics.rubric_key = preferences.rubric_key
    where preferences.response_b_key = (select response_key from wanted)
    union all
    select
        7,
        'correction',
        corrections.author,
        corrections.value,
        concat_ws(', ', rubrics.name, corrections.dimension, corrections.reason),
        corrections.commit_seq
    from corrections
    join rubrics on rubrics.rubric_key = corrections.rubric_key
    where corrections.response_key = (select response_key from wanted)
    union all
    select
        8,
        sides.side,
        builds.name,
        if(sides.side = 'chosen', sides.chosen_score, sides.rejected_score),
        concat_ws(
            ', ',
            tso_id('pair', sides.pair_key),
            if(
                sides.side = 'chosen',
                'over ' || tso_id('r', sides.rejected_key),
                'under ' || tso_id('r', sides.chosen_key)
            ),
            'pool ' || sides.pool,
            'minibatch ' || sides.minibatch
        ),
        sides.commit_seq
    from sides
    join builds on builds.build_key = sides.build_key
)
select
    facts.fact,
    facts.who,
    facts.value,
    facts.detail,
    files.path as file,
    runs.command,
    tso_id('run', runs.run_key) as run_id,
    commits.committed_at,
from facts
join commits on commits.commit_seq = facts.commit_seq
join runs on runs.run_key = commits.run_key
left join files on files.file_key = commits.file_key
order by facts.position, facts.fact, facts.who, facts.detail, facts.value, facts.commit_seq
