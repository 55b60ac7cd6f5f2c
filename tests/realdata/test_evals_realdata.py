"""Published figures, from the judgements that they were published with."""

import csv
import gzip
import json

import pytest

from tsodata.evals import ControlFiles, Which, alpaca_eval, arena_hard, mt_bench
from tsodata.importers import ImportOptions, import_files
from tsodata.provenance import Run
from tsodata.store import Store

pytestmark = pytest.mark.realdata
FOLDER = "weighted_alpaca_eval_gpt4_turbo"


@pytest.fixture(scope="module")
def reader(realdata, tmp_path_factory):
    store = Store.open(tmp_path_factory.mktemp("evals") / "s.duckdb", create=True)
    annotations = sorted((realdata / "alpaca_eval/annotations").glob("*/*.gz"))
    arena = realdata / "arena_hard/v0.1"
    with store.run(Run.of_process({})) as run:
        for name, paths in (
            ("alpaca-eval-annotations", annotations),
            ("mt-bench-questions", [realdata / "mt_bench/question.jsonl"]),
            ("mt-bench-judgments", [realdata / "mt_bench/model_judgment/gpt-4_single.jsonl"]),
            ("arena-hard-questions", [arena / "question.jsonl"]),
            ("arena-hard-answers", [arena / "model_answer/gpt-4-0314.jsonl.gz"]),
            ("arena-hard-judgments", sorted(arena.glob("model_judgment/*/*.gz"))),
        ):
            import_files(store, name, paths, run=run, options=ImportOptions())
    with store.reader() as opened:
        yield opened


@pytest.fixture(scope="module")
def files(realdata):
    folder = realdata / "alpaca_eval"
    return ControlFiles(folder / "lc_glm/df_gamed.csv", folder / "model_outputs/gpt4_1106_preview.json.gz")


def leaderboard(realdata, name):
    with (realdata / "alpaca_eval/published" / name).open() as file:
        return {row.pop(""): row for row in csv.DictReader(file)}


@pytest.mark.parametrize(
    ("judge", "name"),
    [
        (FOLDER, "AE2_weighted_alpaca_eval_gpt4_turbo_leaderboard.subset.csv"),
        ("alpaca_eval_gpt4", "AE1_alpaca_eval_gpt4_leaderboard.subset.csv"),
    ],
)
def test_alpaca_eval_win_rates_are_the_published_ones(reader, realdata, judge, name):
    published = leaderboard(realdata, name)
    rows = {
        row["model"]: row for row in alpaca_eval(reader, Which("alpaca-eval", judge)).rows if row["model"] in published
    }

    assert len(rows) >= 4
    for model, row in rows.items():
        for column in ("win_rate", "standard_error", "discrete_win_rate"):
            assert row[column] == pytest.approx(float(published[model][column]), abs=1e-6)
        assert (row["n"], row["avg_length"]) == (int(published[model]["n_total"]), int(published[model]["avg_length"]))


def test_length_controlled_win_rates_are_close_to_the_published_ones(reader, realdata, files):
    published = leaderboard(realdata, "AE2_weighted_alpaca_eval_gpt4_turbo_leaderboard.subset.csv")
    rows = [
        row for row in alpaca_eval(reader, Which("alpaca-eval", FOLDER), files=files).rows if row["model"] in published
    ]

    assert len(rows) == 6
    for row in rows:
        assert row["lc_win_rate"] == pytest.approx(
            float(published[row["model"]]["length_controlled_winrate"]), abs=0.15
        )


def test_mt_bench_and_arena_hard_are_the_published_ones(reader, realdata):
    with gzip.open(next((realdata / "arena_hard/v0.1/model_judgment").glob("*/*.gz"))) as file:
        n_verdicts = sum(len(json.loads(line)["games"]) for line in file)
    averages = {row["model"]: row["average"] for row in mt_bench(reader).rows}
    (arena,) = arena_hard(reader, baseline="gpt-4-0314").rows

    assert averages["vicuna-7b-v1.3"] == 6.103125
    assert arena["win_rate"] == pytest.approx(2.039007, abs=1e-6)
    assert arena["bradley_terry"] == pytest.approx(arena["win_rate"], abs=1e-6)
    assert arena["n_verdicts"] + arena["n_without"] == n_verdicts
