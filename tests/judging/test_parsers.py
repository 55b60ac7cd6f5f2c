"""What words say: each outcome by hand, and what holds for any words at all."""

import json
import math
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tsodata.errors import UnknownNameError
from tsodata.judging.parsers import OVERALL, PARSERS, PREFERENCE, Asked, Reason, find_parser, parser_version

PAPER = Asked((2.0, 10.0))
TEN = Asked((1.0, 10.0))
SHARE = Asked((0.0, 1.0))


def read(parser, words, asked=PAPER, dimension=OVERALL):
    value, reason = find_parser(parser)(words, asked)[dimension]
    return reason if value is None else value


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("Evaluation evidence: It names the wrong river.\nScore: 8.0", 8.0),
        ("It names the wrong river. Score:8.0", 8.0),
        ("Score: 8", 8.0),
        ("证据:说错了河名。\n评分\uff1a7.5", 7.5),
        ("分数: 6.0分。", 6.0),
        ("Score: 3.0 at first sight.\nBut the river is right.\nScore: 9.25\n", 9.25),
        ("score: 2.0.", 2.0),
        ("Score: 1.9", Reason.OUT_OF_RANGE),
        ("Score: 11", Reason.OUT_OF_RANGE),
        ("Score: -1", Reason.OUT_OF_RANGE),
        ("Score: 100", Reason.OUT_OF_RANGE),
        ("Score: 8.125", Reason.NO_SCORE),
        ("Score: 8 or 9", Reason.AMBIGUOUS),
        ("Score: 8/10", Reason.AMBIGUOUS),
        ("Score: 7-8", Reason.AMBIGUOUS),
        ("Score: 8.0\n\nI hope this helps!", Reason.NO_SCORE),
        ("**Score: 8.0**", Reason.NO_SCORE),
        ("The underscore: 8.0", Reason.NO_SCORE),
        ("It deserves an 8.0", Reason.NO_SCORE),
        ("Score:", Reason.NO_SCORE),
        ("Score: eight", Reason.NO_SCORE),
        ("", Reason.NO_SCORE),
        ("I'm sorry, but I can't grade this.", Reason.REFUSED),
        ("抱歉,我无法评价。", Reason.REFUSED),
        ("Score: \u0668", Reason.NO_SCORE),  # an Arabic eight
    ],
)
def test_a_score_line_that_ends_the_words_is_read(words, outcome):
    assert read("score-line/1", words) == outcome


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("**Score: 8.0**", 8.0),
        ("**Score:** 8.0", 8.0),
        ("### Score: [7.5]", 7.5),
        ("Score: 8/10", 8.0),
        ("Score: 8.5 out of 10.", 8.5),
        ("Score: 4/5", Reason.AMBIGUOUS),
        ("Score: 8.0", 8.0),
        ("Score: 8 or 9", Reason.AMBIGUOUS),
    ],
)
def test_version_2_also_reads_a_score_in_markdown_and_out_of_the_scale(words, outcome):
    assert read("score-line/2", words) == outcome


def test_words_that_were_cut_off_have_no_score_even_where_they_end_in_one():
    for name in ("score-line/1", "score-line/2"):  # 8 may have been about to be 8.5
        assert read(name, "Score: 8", PAPER._replace(is_cut=True)) == Reason.TRUNCATED
    assert read("mt-bench/1", "[[8]]", TEN._replace(is_cut=True)) == Reason.TRUNCATED
    assert read("verdict/1", "[[A>B]]", SHARE._replace(is_cut=True), PREFERENCE) == Reason.TRUNCATED


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("Good. Rating: [[8]]", 8.0),
        ("Rating: [[7.5]].", 7.5),
        ("Rating: [6]", 6.0),
        ("[[8]] and again [[8.0]]", 8.0),
        ("[[8]] or [[9]]", Reason.AMBIGUOUS),
        ("Rating: [[rating]]", Reason.NO_SCORE),
        ("Rating: [[-1]]", Reason.OUT_OF_RANGE),
        ("Rating: [[11]]", Reason.OUT_OF_RANGE),
        ("See [2] above. Rating: [[5]]", 5.0),
    ],
)
def test_a_rating_in_doubled_brackets_is_read_as_fastchat_does(words, outcome):
    assert read("mt-bench/1", words, TEN) == outcome


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("My verdict: [[A>>B]]", 1.0),
        ("[[A>B]]", 0.75),
        ("[[A=B]]", 0.5),
        ("[[B>A]]", 0.25),
        ("[[B>>A]] [[B>>A]]", 0.0),
        ("[[A>B]] no, [[B>A]]", Reason.AMBIGUOUS),
        ("[[A<B]]", Reason.NO_SCORE),
        ("A is better", Reason.NO_SCORE),
    ],
)
def test_a_verdict_in_five_levels_says_how_much_the_first_is_preferred(words, outcome):
    assert read("verdict/1", words, SHARE, PREFERENCE) == outcome


@pytest.mark.parametrize(("letter", "value"), [("A", 1.0), ("B", 0.0), ("C", 0.5)])
def test_a_letter_is_a_verdict(letter, value):
    assert read("letter/1", f"So: [[{letter}]]", SHARE, PREFERENCE) == value


def one_token(**logprobs):
    likeliest = [{"token": token, "logprob": logprob} for token, logprob in logprobs.items()]
    return json.dumps({"text": "m", "logprobs": {"content": [{"token": "m", "top_logprobs": likeliest}]}})


def test_one_token_is_a_preference_by_its_probability():
    three_to_one = one_token(m=math.log(0.6), M=math.log(0.2), The=math.log(0.2))

    assert read("first-token/1", three_to_one, SHARE, PREFERENCE) == pytest.approx(0.75)
    assert read("first-token/1", one_token(M=-0.1), SHARE, PREFERENCE) == 0.0
    assert read("first-token/1", one_token(The=-0.1), SHARE, PREFERENCE) == Reason.NO_SCORE
    for broken in ("", "m", "[]", "{}", '{"logprobs": null}', '{"logprobs": {"content": []}}', "[" * 100_000):
        assert read("first-token/1", broken, SHARE, PREFERENCE) == Reason.NO_SCORE


def test_a_dictionary_gives_every_dimension_its_score_and_the_overall_one():
    asked = Asked((1.0, 10.0), ("正确", "切题", OVERALL))
    words = "例如{'正确': 1, '综合得分': 1}。理由……\n{'正确': 9, '切题': 11, '综合得分': 7}"

    found = find_parser("dictionary/1")(words, asked)

    assert found == {"正确": (9.0, None), "切题": (None, Reason.OUT_OF_RANGE), OVERALL: (7.0, None)}
    assert read("dictionary/1", "{'综合得分': 7, '综合得分': 8}", asked) == Reason.AMBIGUOUS
    assert read("dictionary/1", "{}", asked) == Reason.NO_SCORE


PIECES = ["Score", ":", "\uff1a", " ", "\n", "8", "10", ".", "0", "-1", "评分", "[[", "]]", "A>>B", "{", "}", "'", "/"]
WORDS = st.text() | st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


@settings(max_examples=300)
@given(words=WORDS, is_cut=st.booleans())
@example(words="Score: 8.0", is_cut=False)
def test_any_words_give_a_number_on_the_scale_or_a_reason(words, is_cut):
    for name, parser in PARSERS.items():
        for scale in ((2.0, 10.0), (0.0, 1.0)):
            asked = Asked(scale, ("d", OVERALL), is_cut=is_cut)
            found = parser(words, asked)
            assert found == parser(words, asked), name
            for value, reason in found.values():
                assert (value is None) != (reason is None)
                if value is not None:
                    assert scale[0] <= value <= scale[1] or PREFERENCE in found
                    assert math.isfinite(value)


@given(score=st.integers(200, 1000).map(lambda n: n / 100), words=st.text())
def test_a_score_that_was_written_is_read_whatever_stands_before_it(score, words):
    assert read("score-line/1", f"{words}\nScore: {score}") == score


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize("piece", ["Score: ", "[[", "{'a'", "[[1", "'a': 1,", " ", "{"])
def test_no_words_take_long(name, piece):
    started = time.perf_counter()

    find_parser(name)(piece * 100_000, PAPER)

    assert time.perf_counter() - started < 2


def test_a_parser_has_a_version_and_what_others_read_has_none():
    assert {parser_version(name) for name in PARSERS} == {1, 2}
    assert [parser_version(name) for name in ("imported", "fastchat", "a/b", "a/2x", "a/12", "a/\u0662")] == [
        0,
        0,
        0,
        0,
        12,
        0,
    ]
    with pytest.raises(UnknownNameError, match="no parser 'score-line/9'; there are: score-line/1, "):
        find_parser("score-line/9")
