-- A judgement's words can be read again by another parser. All readings stay; of those of one answer in one dimension
-- (of one preference) the one by the parser of the highest version counts. Versions are part of the parser's name, as
-- in score-line/2; what others have read has none, and the lowest. Nothing depends on when or where it was read.

create macro tso_parser_version(parser) as coalesce(try_cast(regexp_extract(parser, '/([0-9]+)$', 1) as integer), 0);

create macro tso_parser_rank(parser) as format('{:06d} {}', tso_parser_version(parser), parser);

-- The scores that count, as of a commit. Where a rubric's words were read by one parser only, as nearly always, there is
-- nothing to be left out, and finding that out costs one look at two short columns.
create macro tso_scores_at(seq) as table
with ranks as (
    select rubric_key, parser, tso_parser_rank(parser) as parser_rank
    from (select distinct rubric_key, parser from scores where judgement_key is not null and commit_seq <= seq)
),
read_again as (
    select scores.judgement_key, scores.response_key, scores.dimension, ranks.parser_rank
    from scores
    join (
        select rubric_key, parser, parser_rank
        from ranks
        qualify parser_rank > min(parser_rank) over (partition by rubric_key)
    ) as ranks
        on ranks.rubric_key = scores.rubric_key and ranks.parser = scores.parser
    where scores.judgement_key is not null and scores.commit_seq <= seq
),
outdated as (
    select scores.score_key
    from scores
    join ranks on ranks.rubric_key = scores.rubric_key and ranks.parser = scores.parser
    join read_again
        on read_again.judgement_key = scores.judgement_key
        and read_again.response_key = scores.response_key
        and read_again.dimension = scores.dimension
    where read_again.parser_rank > ranks.parser_rank and scores.commit_seq <= seq
)
select scores.*
from scores
anti join outdated on outdated.score_key = scores.score_key
where scores.commit_seq <= seq;

create macro tso_preferences_at(seq) as table
with ranks as (
    select rubric_key, parser, tso_parser_rank(parser) as parser_rank
    from (select distinct rubric_key, parser from preferences where judgement_key is not null and commit_seq <= seq)
),
read_again as (
    select preferences.judgement_key, ranks.parser_rank
    from preferences
    join (
        select rubric_key, parser, parser_rank
        from ranks
        qualify parser_rank > min(parser_rank) over (partition by rubric_key)
    ) as ranks
        on ranks.rubric_key = preferences.rubric_key and ranks.parser = preferences.parser
    where preferences.judgement_key is not null and preferences.commit_seq <= seq
),
outdated as (
    select preferences.preference_key
    from preferences
    join ranks on ranks.rubric_key = preferences.rubric_key and ranks.parser = preferences.parser
    join read_again on read_again.judgement_key = preferences.judgement_key
    where read_again.parser_rank > ranks.parser_rank and preferences.commit_seq <= seq
)
select preferences.*
from preferences
anti join outdated on outdated.preference_key = preferences.preference_key
where preferences.commit_seq <= seq;

-- The same, of all there is.
create macro tso_scores() as table
select * from tso_scores_at(9223372036854775807);

create macro tso_preferences() as table
select * from tso_preferences_at(9223372036854775807);

-- Marks are of the scores that count.
create or replace view v_marks as
with marks as (
    select
        scores.response_key,
        scores.prompt_key,
        scores.source_key,
        scores.rubric_key,
        scores.dimension,
        scores.judge as rater,
        min(scores.judge_kind) as rater_kind,
        false as is_correction,
        sum(round(scores.value * 1000000)::bigint)::double / count(*) / 1000000 as mark,
        stddev_samp(scores.value) as sd,
        count(*) as n_marks,
        null::varchar as reason,
    from tso_scores() as scores
    where scores.value is not null
    group by all
    union all
    select
        corrections.response_key,
        min(corrections.prompt_key),
        min(coalesce(responses.source_key, shown.source_key)),
        corrections.rubric_key,
        corrections.dimension,
        corrections.author,
        min(corrections.author_kind),
        true,
        arg_max(corrections.value, {'made_at': made_at, 'correction_key': correction_key}),
        null,
        count(*),
        arg_max(struct_pack(reason := corrections.reason), {'made_at': made_at, 'correction_key': correction_key}).reason,
    from corrections
    left join responses on responses.response_key = corrections.response_key
    left join shown_responses as shown on shown.response_key = corrections.response_key
    group by corrections.response_key, corrections.rubric_key, corrections.dimension, corrections.author
)
select
    tso_id('r', marks.response_key) as response_id,
    tso_id('p', marks.prompt_key) as prompt_id,
    sources.label as source,
    marks.rater,
    marks.rater_kind,
    tso_id('rub', marks.rubric_key) as rubric_id,
    rubrics.name as rubric,
    rubrics.scale_min,
    rubrics.scale_max,
    marks.dimension,
    marks.mark,
    marks.sd,
    marks.n_marks,
    marks.is_correction,
    marks.reason,
from marks
join rubrics on rubrics.rubric_key = marks.rubric_key
join sources on sources.source_key = marks.source_key
qualify row_number() over (
    partition by marks.response_key, marks.rubric_key, marks.dimension, marks.rater
    order by marks.is_correction desc
) = 1;
