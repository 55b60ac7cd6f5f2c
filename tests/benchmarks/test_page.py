"""The page: what is scaled, compared and found to differ."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


def figures(cpu_s, peak_mb=100.0):
    return {"cpu_s": cpu_s, "wall_s": cpu_s, "peak_mb": peak_mb}


def test_a_contender_on_fewer_prompts_is_scaled_and_marked():
    from benchmarks import page
    from benchmarks.sizes import FULL

    text = page.write({"store draw 1000000": figures(2.0), "loops draw 100000": figures(1.5)}, FULL)

    assert "| Python loop* | 15.00 | 7.5 | 15.0 | 100* |" in text  # 10 times 1.5, over 2


def test_what_limits_a_task_is_told_with_its_share():
    from benchmarks import page
    from benchmarks.sizes import FULL

    floors = {"decompress all answers": 1.0, "compress the pairs' answers as Parquet": 3.0, "copy 1 GB in memory": 9.0}
    text = page.write({"store build 1000000": figures(10.0), "store floors 1000000": floors}, FULL)

    told = " ".join(text.split())
    assert "to decompress all answers takes 1.00 s (10% of the task), to compress the pairs' answers as" in told
    assert "takes 3.00 s (30% of the task). " in told


def test_growth_is_one_where_cost_is_linear():
    from benchmarks import page
    from benchmarks.sizes import FULL

    found = {"store draw 10000": figures(0.2), "store draw 100000": figures(2.0), "store draw 1000000": figures(24.0)}
    text = page.write(found, FULL)

    assert "| 1,000,000 | 2.00 | 1.00 |" in text
    assert "| 10,000,000 | 24.00 | 1.20 |" in text


def test_different_results_are_found_also_across_the_memory_bound():
    main = __import__("benchmarks.__main__", fromlist=["_differing"])
    found = {
        "store build 10": [{"checksum": "a"}],
        "store build_in_one_gigabyte 10": [{"checksum": "a"}],
        "polars build 10": [{"checksum": "b"}],
        "polars draw 10": [{"checksum": "c"}, {"checksum": "c"}],
    }

    assert main._differing(found) == ["build 10"]


def test_no_run_is_asked_for_twice():
    main = __import__("benchmarks.__main__", fromlist=["_runs"])
    from benchmarks.sizes import FULL

    runs = main._runs(FULL, "")
    assert len(runs) == len(set(runs))
    assert main._runs(FULL, "help") == [("store", "help", 0)]
