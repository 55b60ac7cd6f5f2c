"""Which scores, builds and sections: what is chosen, what is told, what is refused."""

import pytest

from tsodata.errors import UnknownNameError, UsageError
from tsodata.recipes import BUILT_IN

from .conftest import LABELS, ROWS, Figures, build, row

ONE_WEIGHTED = BUILT_IN["weighted"].with_options(minibatches=1)


def two_judges(run_import):
    run_import("records", ROWS)
    second = [row("q1", "big", "Yes, indeed it is!", 5)]
    second[0]["judgements"][0]["judge"] = "k"
    run_import("records", second, name="second.jsonl")


def test_an_empty_store_has_figures_of_nothing_and_says_what_is_missing(store):
    report = Figures(store).report

    assert [(f.section, f.name, f.value, f.n) for f in report.figures] == [("duplicates", "duplicate prompts", None, 0)]
    assert report.notes == (
        "shape: no answer has a score",
        *(
            f"{name}: the store has no build of pairs; make one with: tso-data build-pairs NAME --base CELL"
            for name in ("margins", "quality", "length", "similarity")
        ),
        "wins: no answer has a score",
    )


def test_answers_without_scores_have_cells_and_lengths(store, run_import):
    run_import("records", [{**r, "judgements": []} for r in ROWS])
    build(store, recipe=ONE_WEIGHTED)
    figures = Figures(store)

    assert figures.cell("answers", "base").value == 5
    assert figures("length", "longer is chosen").n > 0
    assert figures("margins", "without scores").value == 1
    assert figures("margins", "margin").value is None
    assert figures.report.notes[0] == "shape: no answer has a score"


def test_scores_that_were_never_read_are_no_scores(store, run_import):
    run_import("records", [row("q1", "big", "yes", None), row("q1", "small", "no", None)])
    figures = Figures(store)

    assert figures.cell("unparsed", "big").value == 1
    assert not [f for f in figures.report.figures if f.name == "mean score"]
    assert figures.report.notes[0] == "shape: no answer has a score"


def test_one_source_wins_over_nobody(store, run_import):
    run_import("records", [row("q1", "big", "yes", 9), row("q2", "big", "no", 3)])
    report = Figures(store).report

    assert not report.section("wins")
    assert report.notes[-1] == "wins: no two sources have scores or preferences on one prompt"


def test_several_judges_have_to_be_chosen_from(store, run_import):
    two_judges(run_import)
    report = Figures(store).report

    assert report.notes[0] == "shape: answers have scores of j by r; k by r: choose with --judge and --rubric"
    with pytest.raises(UsageError, match="choose with --judge"):
        Figures(store, sections=("shape",))
    assert Figures(store, judge="j")("shape", "prompts").value == 4
    assert Figures(store, judge="k", sections=("shape",))("shape", "prompts").value == 1


def test_a_build_brings_its_own_judge_and_base(store, run_import):
    two_judges(run_import)
    from tsodata.recipes import ScoreChoice

    from .conftest import BEST_AGAINST_WORST

    build(store, recipe=BEST_AGAINST_WORST.with_options(scores=ScoreChoice("j", "r")))
    report = Figures(store, build="b").report

    assert (report.judge, report.rubric, report.base, report.notes) == ("j", "r", LABELS["base"], ())
    assert Figures(store).report.judge is None  # all builds: nobody has said whose scores


def test_several_builds_stand_side_by_side(tiny):
    build(tiny, "w", ONE_WEIGHTED)
    figures = Figures(tiny)

    assert figures.report.builds == ("b", "w")
    assert figures("margins", "pairs", build="b").value == 2
    assert Figures(tiny, build="b").report.builds == ("b",)


def test_a_section_alone_is_alone(tiny_once):
    assert {f.section for f in Figures(tiny_once, sections=("length", "cells")).report.figures} == {"length", "cells"}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"build": "z"}, "no build of pairs 'z'; the store has: b"),
        ({"judge": "z"}, "no scores of judge z by rubric any; the store has scores of j by r"),
        ({"sections": ("z",)}, "no section 'z'; known are cells, shape"),
        ({"base": "z/v1/7"}, "no source 'z/v1/7'"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(tiny_once, asked, message):
    with pytest.raises(UnknownNameError, match=message):
        Figures(tiny_once, **asked)


def test_a_section_that_was_asked_for_and_cannot_be_told_is_refused(store):
    with pytest.raises(UsageError, match="margins: the store has no build of pairs"):
        Figures(store, sections=("margins",))


def test_names_with_quotes_and_statements_are_only_names(store, run_import):
    evil = "m'; drop table scores; --\x1f$judge"
    rows = [{**row(f"p{i}", "big", f"a{i}", 3 + i), "family": evil} for i in range(3)]
    run_import("records", rows)
    found = Figures(store)("cells", "mean score")

    assert found.value == 4
    assert store.sql(found.sql).height == 3
