"""Stored words read again: what would change is told first, and each judgement counts once afterwards."""

import json

import pytest
from tsocli.data import app
from typer.testing import CliRunner

from tsodata.builds import build_pairs, verify_build
from tsodata.checks import check_store
from tsodata.errors import UnknownNameError, UsageError
from tsodata.judging import reparse
from tsodata.provenance import Run
from tsodata.recipes import Pool, Recipe

from .conftest import ASKED, LARGE, SMALL, answer, shown_text, store_records

WORDS = {"a": "Score: 5.0", "b": "Score: 3.0", "c": "**Score: 9.0**", "T": "Score: 4.0"}


@pytest.fixture
def marked(judged, filled):
    """Judge three answers of the base to each question; version 1 cannot read what is said of the third."""
    texts = [[f"{'abc'[sample]} {n}" for sample in range(3)] for n in range(4)]
    store_records(
        filled,
        [answer(p, LARGE, t, sample_index=i) for p, some in zip(ASKED, texts, strict=True) for i, t in enumerate(some)],
    )
    judged(
        lambda r: WORDS[shown_text(r)[0]],
        "tso/1",
        n_samples=1,
        dimensions=["logic"],
        sources=("owl/v2/13",),
    )
    return filled


def drawn(store, name):
    recipe = Recipe(pools={"self": Pool(draw="max_min")}, minibatches=1)
    with store.run(Run("t")) as run:
        return build_pairs(store, name, base=LARGE.label, recipe=recipe, run=run, allow_short=True)


def pairs(store, name):
    return store.sql(
        "select chosen.text[1] || rejected.text[1] from v_pairs join v_responses as chosen "
        "on chosen.response_id = chosen_response_id join v_responses as rejected "
        f"on rejected.response_id = rejected_response_id where build = '{name}' order by all"
    ).to_series()


def test_what_another_parser_would_read_is_told_down_to_the_pairs_and_nothing_is_stored(marked):
    drawn(marked, "b")
    before = marked.sql("select count(*), max(commit_seq) from scores").row(0)

    found = reparse(marked, "score-line/2", run=None)

    assert (found.n_judgements, found.n_same, found.n_changed, found.n_outranked) == (16, 12, 4, 0)
    assert found.kinds == {"no_score -> number": 4}
    assert {(change.before, change.after) for change in found.changes} == {("no_score", 9.0)}
    (build,) = found.builds
    assert (build.build, build.n_rows, len(build.gone), build.come) == ("b", 4, 4, 4)
    assert marked.sql("select count(*), max(commit_seq) from scores").row(0) == before


def test_a_judgement_counts_once_by_the_parser_of_the_highest_version(marked):
    drawn(marked, "before")
    with marked.run(Run("t")) as run:
        found = reparse(marked, "score-line/2", run=run)
        again = reparse(marked, "score-line/2", run=run)
        older = reparse(marked, "score-line/1", run=run)

    assert (found.n_added, again.n_added, again.n_changed, older.n_outranked) == (16, 0, 0, 16)
    assert marked.sql("select count(*) from v_scores").item() == 32
    assert marked.sql("select parser, count(*) from tso_scores() group by all").rows() == [("score-line/2", 16)]
    assert marked.query("judges")["n"].to_list() == [16]
    drawn(marked, "after")
    assert set(pairs(marked, "before")) == {"ab"}
    assert set(pairs(marked, "after")) == {"cb"}
    assert verify_build(marked, "before").is_equal
    assert check_store(marked).is_clean


def test_comparisons_are_read_again_too(judged, filled):
    judged(lambda _: "[[A]] [[A>B]]", "pair/1", sources=(SMALL.label,), against=LARGE.label)

    found = reparse(filled, "letter/1", run=None, rubric="pair/1")

    assert (found.n_judgements, found.n_changed, found.n_outranked) == (8, 0, 8)  # letter/1 comes before verdict/1
    with filled.run(Run("t")) as run:
        assert reparse(filled, "letter/1", run=run, rubric="pair/1").n_added == 8
    assert filled.sql("select parser, count(*) from tso_preferences() group by all").rows() == [("verdict/1", 8)]


def test_words_that_nobody_said_cannot_be_read_again(filled):
    with pytest.raises(UsageError, match=r"no stored words read by score-line/… so far; name --rubric for others"):
        reparse(filled, "score-line/2", run=None)
    with pytest.raises(UnknownNameError, match="no parser 'score-line/99'"):
        reparse(filled, "score-line/99", run=None)


def test_the_command_tells_and_stores(marked):
    def run(*words):
        done = CliRunner().invoke(app, ["reparse", "--parser", "score-line/2", *words, "--store", str(marked.path)])
        assert done.exit_code == 0, done.output
        return done.stdout

    drawn(marked, "b")
    told = run("--dry-run").splitlines()
    assert told[0] == (
        "score-line/2: 16 judgements, 16 readings = 12 as before + 4 would change + 0 outranked by a newer parser"
    )
    assert told[1] == "  no_score -> number: 4"
    assert "build b: 4 of 4 would be others, 4 would come" in told
    assert json.loads(run("--json"))["n_added"] == 16
    assert run().endswith("0 readings added\n")
