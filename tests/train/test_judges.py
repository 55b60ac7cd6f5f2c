"""`tso-train judge` and `sft` as people type them: with a store and without, registered with all they came from."""

import json
from pathlib import Path

import pytest
from tsocli.train import app
from typer.testing import CliRunner

from tsodata.checks import check_store
from tsodata.store import Store
from tsotrain.records import records_sha256

SETTINGS = ("-s", "batch_records=4", "-s", "epochs=1", "-s", "precision=fp32")


@pytest.fixture
def tso(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TSO_STORE", raising=False)
    turns = ({"role": "user", "content": "how good is 'hi'?"}, {"role": "assistant", "content": "Score: 8.0"})
    rows = [{"id": f"r{i}", "messages": turns, "split": "held_out" if i > 4 else "train"} for i in range(6)]
    rows.append({"messages": [turns[1]]})
    (tmp_path / "scores.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def run(*words, code=0):
        done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
        assert done.exit_code == code, done.output
        return done.stderr if code else done.stdout

    return run


@pytest.fixture
def judge(tso, base):
    def run(*words, command="judge", **options):
        return tso(command, "--records", "scores.jsonl", "--policy", base, *SETTINGS, *words, **options)

    return run


def rows(sql):
    return Store.open("tso.duckdb").sql(sql).to_dicts()


def test_a_judge_is_tuned_without_a_store(judge, tmp_path):
    said = judge()

    assert said == "judge judges/scores/policy, 2 steps on 5 records (no store here, so it is not registered)\n"
    assert not (tmp_path / "tso.duckdb").exists()
    assert (tmp_path / "judges" / "scores" / "policy" / "model.safetensors").exists()


def test_a_judge_is_registered_with_its_records_and_its_parent(judge):
    Store.open("tso.duckdb", create=True)
    report = json.loads(judge("--json"))
    artefacts = {row["kind"]: row for row in rows("select * from artefacts")}
    (tuned,) = Store.open("tso.duckdb").query("tuned-models").to_dicts()

    assert (report["n_records"], report["n_held_out"], report["refused"]) == (
        5,
        1,
        {"no answer of the assistant behind a prompt": 1},
    )
    assert artefacts["judge"]["artefact_sha256"] == report["model_sha256"]
    assert artefacts["judge"]["parent_keys"] == [artefacts["policy"]["artefact_key"]]
    assert tuned["records_sha256"] == records_sha256([Path("scores.jsonl")])
    assert check_store(Store.open("tso.duckdb")).is_clean


def test_a_judge_that_is_run_again_adds_nothing(judge):
    Store.open("tso.duckdb", create=True)
    first, second = (json.loads(judge("--json")) for _ in range(2))

    assert first == second
    assert len(rows("select * from artefacts")) == 2


def test_sft_makes_a_policy_that_a_judge_may_start_from(judge):
    Store.open("tso.duckdb", create=True)
    judge(command="sft")
    report = json.loads(judge("--name", "second", "--policy", "policies/scores/policy", "--json"))
    lineage = rows("select kind, name, parent_keys, artefact_key from artefacts order by commit_seq, name")
    by_name = {row["name"]: row for row in lineage}

    assert [(row["kind"], row["name"]) for row in lineage[-2:]] == [("policy", "scores"), ("judge", "second")]
    assert by_name["second"]["parent_keys"] == [by_name["scores"]["artefact_key"]]
    assert report["model"] == "judges/second/policy"


def test_the_base_that_the_store_knows_is_what_is_tuned(judge, tso, base):
    Store.open("tso.duckdb", create=True)
    judge()
    plan = json.loads(tso("judge", "--records", "scores.jsonl", "--name", "other", "--dry-run", *SETTINGS))

    assert plan["origin"] == str(base)
    assert plan["rows"].startswith("7 records = 5 to train on, 1 held out, 1 refused (no answer of the assistant")
    assert (plan["n_records"], plan["n_held_out"], plan["n_steps"]) == (5, 1, 2)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--records", "scores.jsonl"), 2, "name the model to tune with --policy PATH; bases that a store here knows"),
        (("--records", "scores.jsonl", "--policy", "none"), 1, "none: no policy there"),
        (("--records", "none.jsonl", "--policy", "none"), 1, "none.jsonl: no such file or folder"),
        (("--records", "scores.jsonl", "--policy", "none", "-s", "batch_pairs=2"), 1, "no setting 'batch_pairs'"),
        (("--records", "scores.jsonl", "--policy", "none", "--store", "none.duckdb"), 3, "no store at none.duckdb"),
    ],
)
def test_what_cannot_be_tuned_is_one_line_and_leaves_nothing(tso, tmp_path, words, code, message):
    before = sorted(tmp_path.iterdir())
    said = tso("judge", *words, code=code)

    assert message in said
    assert len(said.strip().splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before
