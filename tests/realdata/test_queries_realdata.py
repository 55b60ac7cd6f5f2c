"""The published numbers, from the real files."""

import csv

import pytest

from tsodata.importers import ImportOptions, import_files
from tsodata.provenance import Run
from tsodata.store import Store

pytestmark = pytest.mark.realdata

IMPORTS = [
    ("alpaca-eval-annotations", "alpaca_eval/annotations/*/*.json.gz"),
    ("qlora", "qlora_vicuna80/generations/vicuna/*"),
    ("qlora-ratings", "qlora_vicuna80/ratings-gpt4/vicuna/*/*"),
    ("mt-bench-questions", "mt_bench/question.jsonl*"),
    ("mt-bench-judgments", "mt_bench/model_judgment/*"),
]
PUBLISHED = {
    "weighted_alpaca_eval_gpt4_turbo": "AE2_weighted_alpaca_eval_gpt4_turbo_leaderboard.subset.csv",
    "alpaca_eval_gpt4": "AE1_alpaca_eval_gpt4_leaderboard.subset.csv",
}


@pytest.fixture(scope="module")
def judged_store(realdata, tmp_path_factory):
    store = Store.open(tmp_path_factory.mktemp("realdata") / "s.duckdb", create=True)
    options = ImportOptions(models=realdata / "MODELS.csv")
    with store.run(Run.of_process({})) as run:
        for format_name, pattern in IMPORTS:
            paths = sorted(realdata.glob(pattern))
            assert paths, pattern
            import_files(store, format_name, paths, run=run, options=options)
    return store


@pytest.mark.parametrize("judge", PUBLISHED)
def test_win_rates_are_those_of_the_alpaca_eval_leaderboard(judged_store, realdata, judge):
    with (realdata / "alpaca_eval" / "published" / PUBLISHED[judge]).open(encoding="utf-8", newline="") as file:
        published = {row[""]: row for row in csv.DictReader(file)}
    rows = judged_store.query("alpaca-eval-win-rate", judge=judge).to_dicts()

    compared = [row for row in rows if row["model"] in published]
    assert len(compared) >= 4
    for row in compared:
        expected = published[row["model"]]
        assert row["win_rate"] == pytest.approx(float(expected["win_rate"]), abs=1e-6)
        assert row["standard_error"] == pytest.approx(float(expected["standard_error"]), abs=1e-6)
        counts = [row[name] for name in ("n", "n_wins", "n_losses", "n_draws", "avg_length")]
        names = ("n_total", "n_wins", "n_wins_base", "n_draws", "avg_length")
        assert counts == [int(expected[name]) for name in names]


@pytest.mark.parametrize(
    ("judge", "model", "expected"),
    [
        ("weighted_alpaca_eval_gpt4_turbo", "vicuna-13b-v1.5", 6.722),
        ("alpaca_eval_gpt4", "llama-2-7b-chat-hf", 71.366),
        ("alpaca_eval_gpt4", "llama-2-13b-chat-hf", 81.095),
        ("alpaca_eval_gpt4", "llama-2-70b-chat-hf", 92.662),
    ],
)
def test_win_rate_of_one_model(judged_store, judge, model, expected):
    frame = judged_store.query("alpaca-eval-win-rate", judge=judge, model=model)

    assert frame["model"].to_list() == [model]
    assert round(frame["win_rate"].item(), 3) == expected


def test_mt_bench_average_of_vicuna_7b(judged_store):
    frame = judged_store.query("mt-bench-average", model="vicuna-7b-v1.3")

    assert "vicuna-7b-v1.3" in frame["model"].item()
    assert round(frame["average"].item(), 3) == 6.103


def test_guanaco_reaches_the_published_share_of_gpt_3_5(judged_store):
    rows = judged_store.query("qlora-relative-score").to_dicts()
    guanaco = {row["source"].rpartition("/")[2]: row["as_published"] for row in rows if "guanaco" in row["source"]}

    assert guanaco == {"7": 86.96, "13": 90.38, "30": 97.82, "65": 99.30}
