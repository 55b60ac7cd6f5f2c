"""`tso-data judge` as people type it, with the real engine against a judge on the loopback interface."""

import json

import pytest
from tsocli.data import app
from typer.testing import CliRunner

from .conftest import KEY


def test_a_judge_is_planned_asked_told_and_not_asked_again(tso, filled, endpoint):
    words = ("judge", "--rubric", "tso/2", "--model", "judge-7b", "--k", "2", "--dimensions", "logic,factuality")

    planned = tso(*words, "--dry-run")
    assert planned.splitlines() == [
        "judge-7b by tso/2: 11 answers, 1 skipped (1 empty)",
        "judgements: 40 = 0 present + 40 missing",
    ]
    assert endpoint.asked == []

    told = tso(*words)
    assert "requests: 40 = 40 answered + 0 failed + 0 left" in told
    assert "read by score-line/2 (40 ok)" in told
    assert len(endpoint.asked) == 40
    assert {body["temperature"] for body in endpoint.asked} == {0.7}
    assert len({body["seed"] for body in endpoint.asked}) == 12  # six prompts, two samples

    again = json.loads(tso(*words, "--json"))
    assert (again["n_present"], again["n_missing"], len(endpoint.asked)) == (40, 0, 40)
    assert [row["dimension"] for row in again["read"]] == ["factuality", "logic"]
    assert [row["sd_of_samples"] for row in again["read"]] == [0.0, 0.0]
    for path in filled.path.parent.iterdir():
        assert KEY.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--rubric", "tso/9"), "no rubric 'tso/9'; shipped are"),
        (("--rubric", "tso/2", "--canary", "much"), "--canary 'much' is not a share such as 1% or 0.01"),
        (("--rubric", "tso/2", "--engine", "x"), "no engine 'x'"),
        (("--rubric", "tso/2", "--shard", "3"), "--shard '3' is not a part"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_recorded(filled, words, message):
    done = CliRunner().invoke(app, ["judge", "--model", "m", *words, "--store", str(filled.path)])

    assert done.exit_code == 2
    assert message in done.stderr
    assert filled.sql("select count(*) from v_runs").item() == 1
