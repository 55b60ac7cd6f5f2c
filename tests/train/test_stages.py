"""Stages as people type them: on a store's build, one from another, and back to its pairs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SETTINGS = ("-s", "batch_pairs=4", "-s", "epochs=1", "-s", "optimizer.learning_rate=1e-3", "-s", "precision=fp32")


@pytest.fixture(scope="module")
def tso(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stages")
    rows = [
        {"prompt": f"what is {i}?", "response": f"{model} says {i}", "family": "m", "version": version, "size": 1}
        for i in range(6)
        for model, version in (("old", "v1"), ("base", "v2"))
    ]
    rows += [{"prompt": f"what is {i}?", "response": f"a person says {i}", "human": True} for i in range(6)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    env = {key: value for key, value in os.environ.items() if not key.startswith("TSO_")}

    def run(*words, code=0):
        program = Path(sys.executable).parent / words[0]
        done = subprocess.run([program, *words[1:]], cwd=folder, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stderr if code else done.stdout

    run("tso-data", "import", "records", "rows.jsonl")
    recipe = "[pools.matrix]\nchosen = { human = 1.0 }\nrejected = { older = 1.0 }\n"
    (folder / "recipe.toml").write_text(recipe)
    run("tso-data", "build-pairs", "b", "--base", "m/v2/1", "--recipe", "recipe.toml", "--minibatches", "2")
    return run


@pytest.fixture(scope="module")
def trained(tso, base):
    first = json.loads(tso("tso-train", "stage", "--minibatch", "1", "--policy", base, *SETTINGS, "--json"))
    second = json.loads(tso("tso-train", "stage", "--minibatch", "2", *SETTINGS, "--json"))
    return first, second


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--minibatch", "2"), 2, "run: tso-train stage --build b --minibatch 1"),
        (("--minibatch", "1"), 2, "stage 1 starts from the base: name its folder with --policy PATH"),
        (("--minibatch", "3"), 2, "build 'b' has the minibatches 1 to 2, not 3"),
        (("--minibatch", "1", "--build", "c"), 2, "no build 'c'"),
        (("--minibatch", "1", "--policy", "none"), 1, "no policy there"),
        (("--minibatch", "1", "--policy", "none", "-s", "loss.name=simpo"), 1, "known are dual_clip"),
    ],
)
def test_what_cannot_be_trained_is_one_line_and_an_exit_code(tso, words, code, message):
    said = tso("tso-train", "stage", *words, code=code).strip().splitlines()[-1]

    assert said.startswith("tso-train: error: ")
    assert message in said


@pytest.mark.parametrize("words", [("stage", "--minibatch", "1"), ("curves", "stages/b/1")])
def test_without_torch_the_way_out_is_told(words):
    code = (
        "import importlib.util, sys\n"
        "importlib.util.find_spec = lambda name: None\n"
        "from tsocli.train import main\n"
        "sys.argv = ['tso-train', *sys.argv[1:]]\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.strip().splitlines() == [
        "tso-train: error: training needs torch, transformers and safetensors; pip install 'tso[train]'"
    ]


def test_a_dry_run_prints_the_plan_and_trains_nothing(tso, base):
    plan = json.loads(tso("tso-train", "stage", "--minibatch", "1", "--policy", base, *SETTINGS, "--dry-run"))

    assert (plan["n_pairs"], plan["n_steps"]) == (3, 1)
    assert plan["n_parameters"] == 2 * 259 * 32 + 32 + 2 * (2 * 32 * 32 + 2 * 32 * 16 + 3 * 32 * 64 + 2 * 32)


def test_stages_follow_one_another_back_to_the_pairs(tso, trained):
    first, second = trained
    policies = json.loads(tso("tso-data", "sql", "select name, policy_id, parents from v_policies", "--json"))
    by_name = {row["name"]: row for row in policies}
    evidence = json.loads(
        tso("tso-data", "query", "policy-evidence", "-p", f"policy={by_name['b/2']['policy_id']}", "--json")
    )

    assert by_name["b/2"]["parents"] == [by_name["b/1"]["policy_id"]]
    assert by_name["b/1"]["parents"] == [by_name["m/v2/1"]["policy_id"]]
    assert [(row["steps_back"], row["stage_id"]) for row in evidence] == [(1, second["stage_id"])] * 6 + [
        (2, first["stage_id"])
    ] * 6
    assert {row["source"] for row in evidence if row["side"] == "chosen"} == {"human"}
    assert all(row["reward"] is not None for row in evidence)


def test_a_trained_base_has_stale_answers(tso, trained):
    assert trained
    assert "stale: m/v2/1 6" in tso("tso-data", "matrix", "--base", "m/v2/1")


def test_a_stage_run_again_adds_nothing(tso, trained):
    counts = "select (select count(*) from v_stages) as stages, (select count(*) from v_pair_feedback) as feedback"
    before = tso("tso-data", "sql", counts, "--json")
    again = json.loads(tso("tso-train", "stage", "--minibatch", "2", *SETTINGS, "--json"))

    assert again["stage_id"] == trained[1]["stage_id"]
    assert tso("tso-data", "sql", counts, "--json") == before


def test_curves_are_drawn_from_the_folders(tso, trained, tmp_path):
    pytest.importorskip("matplotlib")
    assert trained
    tso("tso-train", "curves", "stages/b/1", "stages/b/2", "--out", tmp_path / "c")

    assert (tmp_path / "c.png").stat().st_size > 10_000
    assert "svg" in (tmp_path / "c.svg").read_text()[:200]


def test_the_trainer_runs_without_a_store_and_its_libraries(tso, trained, base, tmp_path):
    assert trained
    pairs = Path(
        tso("tso-data", "export", "b", "--to", "parquet", "--out", tmp_path / "e", "--minibatch", "1") and tmp_path
    )
    code = (
        "import sys\n"
        "sys.modules['duckdb'] = sys.modules['polars'] = None\n"
        "from tsotrain.__main__ import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    file = pairs / "e" / "data" / "train-00000-of-00001.parquet"
    words = [file, "--policy", base, "--out", tmp_path / "alone", *SETTINGS]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["policy_sha256"] == trained[0]["policy_sha256"]


def test_a_build_of_its_own_goes_on_from_the_stage_whose_folder_it_is_given(tso, trained, base):
    assert trained
    tso("tso-data", "build-pairs", "b@2", "--base", "m/v2/1", "--recipe", "recipe.toml", "--minibatches", "1")
    words = ("--build", "b@2", "--minibatch", "1", "--policy")
    tso("tso-train", "stage", *words, "stages/b/1/policy", *SETTINGS)
    tso("tso-train", "stage", *words, base, *SETTINGS, "--out", "from-base")

    rows = json.loads(tso("tso-data", "sql", "select name, policy_id, parents from v_policies", "--json"))
    ids = {row["name"]: row["policy_id"] for row in rows}
    parents = [row["parents"] for row in rows if row["name"] == "b@2/1"]
    assert sorted(parents) == sorted([[ids["b/1"]], [ids["m/v2/1"]]])
    assert sorted(row["name"] for row in rows) == ["b/1", "b/2", "b@2/1", "b@2/1", "m/v2/1"]  # none twice


def test_another_name_for_the_same_pairs_has_stages_of_its_own(tso, trained):
    assert trained
    tso("tso-data", "build-pairs", "again", "--base", "m/v2/1", "--recipe", "recipe.toml", "--minibatches", "2")
    ids = "select count(distinct build_id) as n from v_builds where build in ('b', 'again')"
    assert json.loads(tso("tso-data", "sql", ids, "--json")) == [{"n": 1}]

    said = tso("tso-train", "stage", "--build", "again", "--minibatch", "2", code=2)

    assert "run: tso-train stage --build again --minibatch 1" in said
