"""A store with prompts, an endpoint that can be told to misbehave, and what fills cells from it."""

import json
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from tsodata.acknowledged import mark_path
from tsodata.engines.options import EngineOptions
from tsodata.generating import Ask, JournalShelf, StoreShelf, fill_cells, parse_cell
from tsodata.importers import ImportOptions, import_files
from tsodata.provenance import Run
from tsodata.records import Record
from tsodata.runner import Limits
from tsodata.store import Store


@dataclass(frozen=True)
class Artefact(Record):
    """A policy as a stage registers it (tsotrain.stages), without its libraries."""

    table: ClassVar[str] = "artefacts"
    artefact_key: int
    kind: str
    name: str
    path: str
    artefact_sha256: str
    source_key: int
    parent_keys: tuple


DIALOGUE = {"question_id": 7, "category": "writing", "turns": ["t1", "t2", "t3"]}


@pytest.fixture(autouse=True)
def quick_and_open(monkeypatch):
    monkeypatch.setattr("tsodata.runner.running._FIRST_PAUSE_S", 0.01)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def prompts_only(tmp_path_factory):
    """Return a store with five prompts of one turn, and a dialogue of three. Tests write to copies of it."""
    folder = tmp_path_factory.mktemp("prompts")
    singles = [{"prompt": f"q{i}", "dataset": "single"} for i in range(5)]
    store = Store.open(folder / "s.duckdb", create=True)
    with store.run(Run.of_process({})) as header:
        for name, rows, dataset in (("records", singles, None), ("mt-bench-questions", [DIALOGUE], "dialogues")):
            path = folder / f"{name}.jsonl"
            path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
            import_files(store, name, [path], run=header, options=ImportOptions(dataset=dataset))
    return store


@pytest.fixture
def copied(prompts_only, tmp_path):
    """Return what makes copies of the store with prompts."""

    def copy(name="s.duckdb"):
        path = tmp_path / name
        shutil.copy(prompts_only.path, path)
        shutil.copy(mark_path(prompts_only.path), mark_path(path))
        return Store(path, 20.0)

    return copy


@pytest.fixture
def with_prompts(copied):
    """Return a store with five prompts of one turn, and a dialogue of three."""
    return copied()


@pytest.fixture
def ask_for(chaos):
    """Run an endpoint, and return it with what is asked of it for a cell."""

    @contextmanager
    def run(*, cell="owl/v1/7", faults=None, server=None, options=None, **changes):
        with chaos.running(faults=faults, **(server or {})) as endpoint:
            reach = EngineOptions(endpoint.url, concurrency=16, **{"timeout_s": 30.0, **(options or {})})
            yield endpoint, replace(Ask(parse_cell(cell), "openai", "owl-7", reach), **changes)

    return run


@pytest.fixture
def fill():
    """Fill cells of a store, or a folder of journals beside it; return the reports."""

    def run(store, *asks, journals=None, **limits):
        with store.run(Run.of_process({})) as header:
            shelf = JournalShelf(journals, run_key=header.key) if journals else StoreShelf(store, header)
            return fill_cells(store, asks, shelf, limits=Limits(**limits))

    return run


@pytest.fixture
def register():
    """Register a policy that stands in a cell from now on."""

    def run(store, cell, sha256):
        policy = Artefact(1, "policy", "b/1", "stages/1", sha256, parse_cell(cell).source_key, ())
        with store.run(Run.of_process({})) as header, store.transaction(header) as transaction:
            transaction.append({Artefact: [policy]})

    return run
