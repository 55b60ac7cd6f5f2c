"""`tso-data stats` as people type it."""

import json

import pytest


def test_the_table_is_short_and_names_what_to_look_at(filled):
    said = filled("stats")

    assert len(said.splitlines()) < 120
    assert "builds: b; base: m/v2/7; scores: j by unstated" in said
    assert "G2 below 0" in said
    assert "to look at: " in said


def test_json_has_every_figure_with_sql_that_runs(filled):
    report = json.loads(filled("stats", "b", "--json", "--section", "length"))

    (longer,) = [figure for figure in report["figures"] if figure["name"] == "longer is chosen"]
    assert longer["threshold"]["source"].startswith("house rule")
    assert longer["interval"]["method"].startswith("exact")
    assert len(json.loads(filled("sql", longer["sql"], "--json"))) == longer["n"]


def test_a_build_without_scores_says_so_in_one_line(tso, tmp_path):
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    bare = [{name: row[name] for name in ("prompt", "model", "response")} for row in rows]
    (tmp_path / "bare.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in bare))
    tso("import", "records", "bare.jsonl", "--models", "models.csv")
    tso("build-pairs", "b", "--base", "m/v2/7", "--recipe", "weighted", "--allow-short")

    assert tso("stats", "--section", "quality").splitlines()[3:6] == [
        "quality",
        "  b",
        "    nothing to tell: no row has a value",
    ]


def test_a_section_alone_is_shown_alone(filled):
    assert "margins" not in filled("stats", "--section", "cells")


def test_plots_are_written_and_named(filled, tmp_path):
    filled("stats", "--plots", "plots")

    assert (tmp_path / "plots" / "shape-map.svg").exists()


def test_an_evaluation_file_is_looked_for(filled, tmp_path):
    (tmp_path / "test.jsonl").write_text('{"instruction": "q1"}\n')

    report = json.loads(filled("stats", "--section", "duplicates", "--against", "test.jsonl", "--json"))

    (found,) = [figure for figure in report["figures"] if figure["name"] == "prompts in it"]
    assert (round(found["value"], 4), found["n"], found["verdict"]) == (0.1667, 6, "look")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("stats", "z"), 2, "no build of pairs 'z'; the store has: b"),
        (("stats", "--section", "z"), 2, "no section 'z'"),
        (("stats", "--judge", "z"), 2, "no scores of judge z"),
        (("stats", "--against", "none.jsonl"), 1, "none.jsonl: no such file"),
        (("stats", "--plots", "."), 2, "which is no plot"),
    ],
)
def test_what_cannot_be_told_is_one_line_and_an_exit_code(filled, words, code, message):
    said = filled(*words, code=code)

    last = said.strip().splitlines()[-1]
    assert last.startswith("tso-data: error: ")
    assert message in last
