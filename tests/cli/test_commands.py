"""The commands as people type them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


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
