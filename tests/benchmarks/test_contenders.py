"""On a tiny material, every contender comes to the store's own result. Nothing is timed here."""

import importlib
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
N_PROMPTS = 40
TASKS = ("draw", "build", "shape", "ends", "import_parquet", "import_jsonl")


@pytest.fixture(scope="module", autouse=True)
def on_path():
    sys.path.insert(0, str(ROOT))
    yield
    sys.path.remove(str(ROOT))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, on_path):  # noqa: ARG001  the path comes first
    from benchmarks.filling import fill

    folder = tmp_path_factory.mktemp("material")
    fill(folder, N_PROMPTS, lambda _: None)
    return folder


@pytest.fixture(scope="module")
def expected(folder):
    from benchmarks.task import measure

    return {task: measure("store", task, folder)["checksum"] for task in TASKS}


@pytest.mark.parametrize("contender", ["polars", "pandas", "datasets", "loops"])
@pytest.mark.parametrize("task", TASKS)
def test_a_contender_comes_to_the_stores_result(folder, expected, contender, task):
    from benchmarks.task import measure

    assert measure(contender, task, folder)["checksum"] == expected[task]


def test_the_store_comes_to_the_same_result_in_little_memory(folder, expected, monkeypatch):
    monkeypatch.setenv("TSO_MEMORY", "1GB")
    from benchmarks.task import measure

    assert measure("store", "build_in_one_gigabyte", folder)["checksum"] == expected["build"]


def test_every_prompt_has_its_ten_answers_and_scores(folder):
    from tsodata.store import Store

    counts = Store(folder / "store.duckdb").sql(
        "select (select count(*) from prompts), (select count(*) from responses), (select count(*) from scores)"
    )
    assert counts.row(0) == (40, 400, 400)


def test_a_smaller_material_is_the_beginning_of_a_larger_one():
    material = importlib.import_module("benchmarks.material")
    (small,), (large,) = material.iter_chunks(2), material.iter_chunks(3)

    assert large.answers[:20] == small.answers
    assert large.scores[:20] == small.scores


def test_every_question_is_answered(folder):
    from benchmarks.task import parts

    assert all(seconds > 0 for seconds in parts("questions", folder).values())


def test_every_floor_is_measured(folder):
    from benchmarks.task import parts

    assert all(seconds >= 0 for seconds in parts("floors", folder).values())
