"""The loop of correction by its commands: asked, filled in, taken back, told, taught, calibrated."""

import csv
import json

import pytest
from tsocli.data import app
from typer.testing import CliRunner

N = 24


@pytest.fixture
def tso(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scale = {"rubric": "paper", "scale_min": 2, "scale_max": 10, "dimension": "logic"}
    rows = [
        {"prompt": f"q{i}", "family": "m", "version": "1", "size": size, "response": f"{i} by {size}"}
        | {
            "judgements": [
                {**scale, "judge": "old", "score": 4 + (i + size) % 7, "raw": "Sound.\nScore: 5.0"},
                {**scale, "judge": "new", "score": 2 + (i + size) % 7},
            ]
        }
        for i in range(N)
        for size in (7, 13)
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def run(*words, code=0):
        done = CliRunner().invoke(app, list(words))
        assert done.exit_code == code, done.output
        return done.stderr if code else done.stdout

    run("import", "records", "rows.jsonl")
    return run


def test_the_loop_from_a_sheet_to_a_calibrated_judge(tso, tmp_path):
    told = tso("export-corrections", "--to", "csv", "--out", "sheet.csv", "--judge", "old")
    assert told == f"sheet.csv written: {2 * N} answers scored by old (paper: logic {2 * N})\n"
    with (tmp_path / "sheet.csv").open(newline="") as file:
        sheet = list(csv.DictReader(file))
    with (tmp_path / "filled.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, sheet[0])
        writer.writeheader()
        writer.writerows(
            {**row, "score": max(2, float(row["judge_score"]) - 2), "reason": "It holds."} for row in sheet
        )
    assert "48 accepted" in tso("import", "corrections", "filled.csv", "--human", "ann")

    shown = tso("agreement", "--judge", "old", "--judge", "new")
    assert "old and new against people" in shown
    assert "McNemar's exact p" in shown
    figures = json.loads(tso("agreement", "--by", "dimension,cell", "--json"))["figures"]
    assert {
        figure["value"] for figure in figures if figure["name"] == "bias" and figure["subject"]["judge"] == "old"
    } == {2}
    shown = tso("export-judge-sft", "--judge", "old", "--ask-by", "tso/1", "--out", "lessons")
    assert shown.startswith("lessons written: of 48 corrected answers train ")
    assert shown.endswith("evidence by: human " + shown.rsplit(" ", 1)[1])
    shown = tso("calibrate", "--judge", "old")
    assert shown.splitlines()[2].split()[-1] == "stored"
    assert tso("correct", "--by", "new") == "new: 48 corrections added, 0 there already\n"
    assert "clean" in tso("check")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("export-corrections",), "name a kind of sheet, --to csv|jsonl|argilla|label-studio, and --out"),
        (("export-corrections", "--to", "pdf", "--out", "x"), "no kind of sheet 'pdf'; known are csv, jsonl"),
        (("agreement", "--judge", "old", "--judge", "old"), "name one judge, or two different ones"),
        (("agreement",), "people and any judge have looked at no answer in common"),
        (("correct", "--by", "x"), "no scores of judge 'x'"),
    ],
)
def test_what_cannot_be_meant_is_one_line_with_the_way_out(tso, words, says):
    error = tso(*words, code=2)

    assert says in error
    assert error.count("\n") == 1
