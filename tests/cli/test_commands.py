"""The commands as people type them."""

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest


def test_the_main_job_runs_from_files_to_an_export(filled, tmp_path):
    pair = json.loads(filled("sql", "select pair_id from v_pairs limit 1", "--json"))[0]["pair_id"]

    assert "6 pairs on 6 prompts" in filled("builds", "b")
    assert '"words"' in filled("explain", pair)
    assert "train 6 rows" in filled("export", "b", "--to", "trl", "--out", "out")
    assert (tmp_path / "out" / "manifest.json").exists()


def test_builds_are_compared_and_drawn_again(filled):
    filled("build-pairs", "s", "--base", "m/v2/7", "--recipe", "max_min", "--minibatches", "2")

    assert filled("diff", "b", "s").startswith("b -> s: 4 added, 4 removed, 0 flipped, 2 kept\n")
    assert json.loads(filled("diff", "b", "b", "--json"))["counts"]["kept"] == 6
    assert len(json.loads(filled("diff", "b", "s", "--rows", "--json"))) == 8
    assert filled("diff", "b", "s", "--rows", "--csv").startswith("change,prompt_id,")
    assert "drawn again: equal" in filled("rebuild", "b", "--verify")
    assert json.loads(filled("rebuild", "b", "--verify", "--json"))["is_equal"] is True
    assert filled("rebuild", "b", "c", "--allow-short").startswith("build c: 6 pairs on 6 prompts")


def test_a_build_that_was_changed_gives_exit_code_1(filled, tmp_path):
    with duckdb.connect(str(tmp_path / "tso.duckdb")) as connection:
        connection.execute("update pairs set pool = 'self'")

    done = filled("rebuild", "b", "--verify", code=1, out=True)

    assert "drawn again: NOT equal" in done
    assert "pairs: 6 rows stored, 6 drawn again; 6 only stored, 6 only drawn again, such as p1-" in done


def test_a_target_that_cannot_be_had_says_what_would_be_needed_with_exit_code_1(filled):
    words = ("build-pairs", "t", "--base", "m/v2/7", "--recipe", "max_min", "--target-pairs")

    said = filled(*words, "9", code=1, out=True)
    told = json.loads(filled(*words, "9", "--json", code=1, out=True))

    assert said.startswith("9 pairs asked for; 6 can be had now\nprompts: 6 eligible; left out: none\n")
    assert "pool matrix: 6 of 9 pairs; 3 are missing\n  needed: at least 3 more prompts that give pairs here" in said
    assert (told["target"], told["reachable"], told["pools"][0]["prompts_needed"]) == (9, 6, 3)
    assert filled(*words, "5").startswith("build t: 5 pairs on 5 prompts")


def test_sides_strata_and_thresholds_can_be_stated(filled):
    base = ("--base", "m/v2/7", "--minibatches", "2")

    one = filled(
        "build-pairs", "one", *base, "--recipe", "single_negative", "--chosen", "m/v2/13", "--rejected", "m/v1/1"
    )
    assert "pool matrix, rejected: χ² 0.00 on 0 dof, p = 1.00; effective number of sources 1.00" in one
    assert "m/v1/1  100.0%" in one
    shapes = filled("build-pairs", "shapes", *base, "--recipe", "max_min", "--strata", "quadrant")
    assert "right-peaked  matrix  100.0%          6      6  100.0%" in shapes  # scores 4, 5, 6 and 8
    taken = filled("build-pairs", "taken", *base, "--recipe", "threshold", "--min-score", "11")
    assert taken.startswith("build taken: 3 answers on 3 prompts")
    assert "prompts: 3 selected; skipped: 3 min_score" in taken


def test_an_answer_of_a_build_without_pairs_is_explained(filled):
    filled("build-pairs", "list", "--base", "m/v2/7", "--recipe", "ranked", "--minibatches", "1")
    answer = json.loads(filled("sql", "select response_id from v_build_responses where place = 1 limit 1", "--json"))

    said = filled("explain", answer[0]["response_id"])

    assert "answer m/v2/13" in said
    assert "why: place 1 by score" in said


def test_a_second_import_adds_nothing(filled):
    assert "0 accepted + 24 already there" in filled("import", "records", "rows.jsonl", "--models", "models.csv")


def test_the_formats_are_listed_with_what_each_adds(tso):
    assert "self-instruct\n    Self-Instruct: answers written by people\n" in tso("import", "--formats")


def test_the_ways_out_are_listed_with_who_reads_each(tso):
    assert "openrlhf\n    OpenRLHF: prompt, chosen and rejected as messages" in tso("export", "--formats")
    assert "fastchat\n    FastChat: MT-Bench answers to all turns\n" in tso("export-answers", "--formats")


def test_rows_that_are_made_two_of_one_pair_are_told_so(filled):
    assert "o written as kto: train 12 rows of 6 pairs; refused: 0" in filled(
        "export", "b", "--to", "kto", "--out", "o"
    )


def test_stored_answers_are_written_for_a_benchmark(filled, tmp_path):
    said = filled("export-answers", "m/v2/7", "--to", "alpaca-eval", "--dataset", "records", "--out", "o.json")

    assert said == "o.json written as alpaca-eval, model base-m: 6 rows of 6 answers; refused: 0\n"
    assert {row["output"] for row in json.loads((tmp_path / "o.json").read_text())} == {
        f"base-m says {i}" for i in range(6)
    }


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
        (("diff", "b", "z"), 2, "no build 'z'; the store has: b"),
        (("diff", "b", "b", "--csv"), 2, "--csv prints rows; pass --rows too"),
        (("rebuild", "b"), 2, "pass --verify, or the name of a new build"),
        (("rebuild", "z", "--verify"), 2, "no build 'z'"),
        (("build-pairs", "c", "--base", "m/v2/7", "--recipe", "single_negative"), 2, "state it with --rejected"),
        (("build-pairs", "c", "--base", "m/v2/7", "--recipe", "threshold"), 2, "state it with --min-score"),
        (("build-pairs", "c", "--base", "m/v2/7", "--strata", "size"), 2, "known are tag, dataset, quadrant"),
        (("build-pairs", "c", "--base", "m/v2/7", "--n", "2", "--target-pairs", "2"), 2, "pass one"),
        (("export", "z", "--to", "trl", "--out", "o"), 2, "'z'"),
        (("export", "b"), 2, "name a build, --to FORMAT and --out FOLDER, or pass --formats"),
        (("export", "b", "--to", "csv", "--out", "o"), 2, "no export format 'csv'; known are trl"),
        (("export", "b", "--to", "ranked", "--out", "o"), 2, "holds pairs, and ranked takes answers"),
        (("export", "b", "--to", "trl", "--out", "o", "--max-length", "9"), 2, "need --tokenizer"),
        (("export-answers", "m/v2/7"), 2, "name a source, --to BENCHMARK and --out FILE, or pass --formats"),
        (("export-answers", "m/v2/7", "--to", "fastchat", "--out", "o"), 1, "pass --dataset for another"),
        (("query", "z"), 2, "no query 'z'"),
        (("sql", "select"), 2, "Parser Error"),
        (("sql", "select repeat('x', 2000000000)", "--memory", "100MB"), 2, "needs more than 100MB of memory"),
        (
            ("sql", "select repeat('x', 100000) from range(14000)", "--memory", "100MB", "--json"),
            2,
            "more than 100MB of memory",
        ),
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
