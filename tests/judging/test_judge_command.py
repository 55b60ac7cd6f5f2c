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


def test_shards_and_batch_files_from_the_command_line(tso, filled, endpoint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("judge", "--rubric", "tso/2", "--model", "judge-7b", "--k", "1", "--dimensions", "logic")

    for part in ("1/2", "2/2"):
        tso(*words, "--shard", part)
    assert (len(endpoint.asked), filled.sql("select count(*) from judgements").item()) == (10, 0)
    assert "10 present + 0 missing" in tso(*words, "--journal", "journals", "--dry-run")
    assert "10 accepted" in tso("import", "journal", "journals")
    assert "10 present + 0 missing" in tso(*words, "--dry-run")
    for path in (tmp_path / "journals").iterdir():
        assert KEY.encode() not in path.read_bytes()

    words = (*words[:-1], "factuality")
    assert "out.jsonl written: 10 requests" in tso(*words, "--batch-out", "out.jsonl")
    assert json.loads(tso(*words, "--batch-out", "out.jsonl", "--json"))["n_requests"] == 10
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    said = {"choices": [{"message": {"role": "assistant", "content": "Score: 7.5"}, "finish_reason": "stop"}]}
    replies = [{"custom_id": line["custom_id"], "response": {"status_code": 200, "body": said}} for line in lines]
    replies.append({"custom_id": "mine"})
    (tmp_path / "in.jsonl").write_text("".join(f"{json.dumps(reply)}\n" for reply in replies))
    told = tso(*words, "--batch-in", "in.jsonl", code=1)
    assert "lines of the file: 11 = 10 answered + 0 failed + 1 others (1 no_request_id)" in told
    assert len(endpoint.asked) == 10
