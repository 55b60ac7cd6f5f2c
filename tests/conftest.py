"""Fixtures that every test may use: an empty store, a way to import into it, an endpoint that misbehaves, real data."""

import importlib.util
import json
import signal
from pathlib import Path

import pytest

from tsodata.importers import ImportOptions, import_files
from tsodata.provenance import Run
from tsodata.store import Store

# Under nohup and in the background Ctrl-C is ignored, by the commands that tests start and interrupt, too.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def store(tmp_path):
    return Store.open(tmp_path / "s.duckdb", create=True)


@pytest.fixture
def run_import(store, tmp_path):
    """Import rows, written to JSON lines first, or a file, and return the sums of it."""

    def import_one(format_name, rows_or_path, *, name="rows.jsonl", **options):
        path = rows_or_path
        if not isinstance(path, Path):
            path = tmp_path / name
            path.write_text("".join(f"{json.dumps(row)}\n" for row in rows_or_path), encoding="utf-8")
        with store.run(Run.of_process({})) as run:
            (report,) = import_files(store, format_name, [path], run=run, options=ImportOptions(**options))
        return report

    return import_one


@pytest.fixture(scope="session")
def chaos():
    """Return the module of the endpoint that misbehaves: `chaos.running(faults=…)` runs one."""
    path = Path(__file__).parent / "chaos" / "server.py"
    spec = importlib.util.spec_from_file_location("tests_chaos_server", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def realdata():
    folder = Path(__file__).resolve().parents[2] / "shared" / "realdata"
    if not folder.is_dir():
        pytest.skip("../shared/realdata is not on this machine")
    return folder
