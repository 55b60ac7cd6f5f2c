"""The commands as people type them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

ROWS = [
    {
        "prompt": f"q{i}",
        "model": model,
        "response": f"{model} says {i}",
        "judge": "j",
        "score": 2 + i + len(model),
        "raw": "words",
    }
    for i in range(6)
    for model in ("tiny", "old-7", "base-m", "large-13")
]
MODELS = "name,family,version,size\ntiny,m,v1,1\nold-7,m,v1,7\nbase-m,m,v2,7\nlarge-13,m,v2,13\n"


@pytest.fixture
def tso(tmp_path):
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    (tmp_path / "models.csv").write_text(MODELS)
    env = {key: value for key, value in os.environ.items() if not key.startswith("TSO_")}

    def run(*words, code=0, out=False):
        done = subprocess.run(
            [Path(sys.executable).parent / "tso-data", *words],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stderr if code and not out else done.stdout

    return run


@pytest.fixture
def filled(tso):
    tso("import", "records", "rows.jsonl", "--models", "models.csv")
    tso("build-pairs", "b", "--base", "m/v2/7", "--recipe", "weighted", "--allow-short")
    return tso


def test_the_main_job_runs_from_files_to_an_export(filled, tmp_path):
    pair = json.loads(filled("sql", "select pair_id from v_pairs limit 1", "--json"))[0]["pair_id"]

    assert "6 pairs on 6 prompts" in filled("builds", "b")
    assert '"words"' in filled("explain", pair)
    assert "train 6 rows" in filled("export", "b", "--to", "trl", "--out", "out")
    assert (tmp_path / "out" / "manifest.json").exists()


def test_a_second_import_adds_nothing(filled):
    assert "0 accepted + 24 already there" in filled("import", "records", "rows.jsonl", "--models", "models.csv")


def test_the_formats_are_listed_with_what_each_adds(tso):
    assert "self-instruct\n    Self-Instruct: answers written by people\n" in tso("import", "--formats")


def test_failed_rows_are_told_with_their_line_and_exit_code_1(tso, tmp_path):
    (tmp_path / "bad.jsonl").write_text('{"question": "x"}\n')

    tso("import", "records", "bad.jsonl", code=1)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("import", "nothing", "x"), 2, "no format 'nothing'; known are records"),
        (("import",), 2, "name a format, or pass --formats"),
        (("import", "records"), 2, "name the files to import"),
        (("import", "records", "none.jsonl"), 1, "none.jsonl: no such file"),
        (("matrix", "--base", "m/v9/7"), 2, "no source 'm/v9/7'"),
        (("build-pairs", "c", "--base", "m/v2/7", "--recipe", "x.toml"), 2, "x.toml: no such file"),
        (("build-pairs", "c", "--base", "m/v2/7"), 1, "no source for chosen human"),
        (("explain", "p"), 2, "is not a pair id"),
        (("export", "z", "--to", "trl", "--out", "o"), 2, "'z'"),
        (("query", "z"), 2, "no query 'z'"),
        (("sql", "select"), 2, "Parser Error"),
        (("sql", "select repeat('x', 2000000000), repeat('y', 2000000000)"), 2, "needs more than 1GB of memory"),
        (("sql", "select 1", "--memory", "much"), 2, "--memory 'much' is not an amount"),
        (("sql", "select 1", "--store", "none.duckdb"), 3, "no store at none.duckdb"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_an_exit_code(filled, words, code, message):
    said = filled(*words, code=code)

    last = said.strip().splitlines()[-1]
    assert last.startswith("tso-data: error: ")
    assert message in last


def test_help_starts_without_the_heavy_libraries():
    code = (
        "import sys; sys.argv = ['tso-data', '--help']\n"
        "from tsocli.data import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'duckdb', 'polars', 'pyarrow', 'torch', 'transformers', 'openai', 'vllm'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_readers_get_in_while_an_import_runs(filled, tmp_path):
    with (tmp_path / "long.jsonl").open("w") as file:
        file.writelines(
            json.dumps({"prompt": f"long {i}", "human": True, "response": "x" * 50}) + "\n" for i in range(30_000)
        )
    program = Path(sys.executable).parent / "tso-data"
    long = subprocess.Popen([program, "import", "records", "long.jsonl"], cwd=tmp_path, stderr=subprocess.DEVNULL)
    counts = []
    while long.poll() is None:
        counts.append(json.loads(filled("sql", "select count(*) as n from v_prompts", "--json"))[0]["n"])

    assert long.returncode == 0
    assert any(6 < n < 30_006 for n in counts)


def test_sums_are_json_with_every_reason(tso, tmp_path):
    with (tmp_path / "rows.jsonl").open("a") as file:
        file.write("no JSON\n")
    said = ("import", "records", "rows.jsonl", "--models", "models.csv", "--json")

    (sums,) = json.loads(tso(*said, code=1, out=True))

    assert (sums["rows"], sums["accepted"], sums["failed"]) == (25, 24, {"unreadable": 1})
    tso("build-pairs", "b", "--base", "m/v2/7", "--recipe", "weighted", "--allow-short")
    exported = json.loads(tso("export", "b", "--to", "trl", "--out", "out", "--json"))
    assert (exported["refused"], exported["files"][0]["rows"]) == ({}, 6)


def test_a_check_says_what_it_found_and_a_broken_store_ends_with_exit_code_1(filled, tmp_path):
    assert "21 checks on commits 1 to 6: clean" in filled("check")
    with duckdb.connect(str(tmp_path / "tso.duckdb")) as connection:
        connection.execute("update builds set n_pairs = 7")

    assert "violation build-counts: 1." in filled("check", code=1, out=True)
    (finding,) = json.loads(filled("check", "--json", code=1, out=True))["findings"]
    assert (finding["check"], finding["rows"][0]["number"], finding["n_rows"]) == ("build-counts", "n_pairs", 1)
    assert filled("recover") == "nothing is missing, and nothing was changed\n"


def test_a_store_that_lacks_stored_rows_ends_with_exit_code_3_until_it_is_recovered(filled, tmp_path):
    older = (tmp_path / "tso.duckdb").read_bytes()
    filled("export", "b", "--to", "trl", "--out", "out")
    (tmp_path / "tso.duckdb").write_bytes(older)

    assert "ends at commit 6, but commit 9 of run1-" in filled("check", code=3)
    assert "the store goes on from commit 6" in filled("recover")
    assert "clean" in filled("check")
