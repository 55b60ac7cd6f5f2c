"""A store with prompts, an endpoint that can be told to misbehave, and what fills cells from it."""

from contextlib import contextmanager
from dataclasses import replace

import pytest

from tsodata.engines.options import EngineOptions
from tsodata.generating import Ask, JournalShelf, StoreShelf, fill_cells, parse_cell
from tsodata.provenance import Run
from tsodata.runner import Limits

DIALOGUE = {"question_id": 7, "category": "writing", "turns": ["t1", "t2", "t3"]}


@pytest.fixture(autouse=True)
def quick_and_open(monkeypatch):
    monkeypatch.setattr("tsodata.runner.running._FIRST_PAUSE_S", 0.01)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def with_prompts(store, run_import):
    """Return the store with five prompts of one turn, and a dialogue of three."""
    run_import("records", [{"prompt": f"q{i}", "dataset": "single"} for i in range(5)], name="p.jsonl")
    run_import("mt-bench-questions", [DIALOGUE], dataset="dialogues")
    return store


@pytest.fixture
def ask_for(chaos):
    """Run an endpoint, and return it with what is asked of it for a cell."""

    @contextmanager
    def run(*, cell="owl/v1/7", faults=None, server=None, options=None, **changes):
        with chaos.running(faults=faults, **(server or {})) as endpoint:
            reach = EngineOptions(endpoint.url, concurrency=16, timeout_s=0.5, **(options or {}))
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
        from tsotrain.stages import Artefact

        policy = Artefact("policy", "b/1", "stages/1", sha256, parse_cell(cell).source_key, ())
        with store.run(Run.of_process({})) as header, store.transaction(header) as transaction:
            transaction.append({Artefact: [policy]})

    return run
