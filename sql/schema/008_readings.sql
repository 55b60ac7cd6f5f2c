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
