"""A whole store: the sample matrix, people's answers, and two pairs for each prompt. Tests break copies of it."""

import contextlib
import shutil
import sys
from pathlib import Path

import duckdb
import pytest

from tsodata.acknowledged import mark_path
from tsodata.builds import build_pairs
from tsodata.checks import check_store
from tsodata.errors import EmptyPoolError, RecipeError, UsageError
from tsodata.exporters import export_build
from tsodata.importers import ImportOptions, import_files
from tsodata.provenance import Run
from tsodata.recipes import BUILT_IN
from tsodata.store import Store

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    sys.path.insert(0, str(ROOT / "examples"))
    import sample_matrix

    sample_matrix.write(folder)
    with (folder / "answers.jsonl").open("a") as file:
        file.write("no JSON\n")
    store = Store.open(folder / "s.duckdb", create=True)
    with store.run(Run("import")) as run:
        options = ImportOptions(models=folder / "models.csv")
        import_files(store, "records", [folder / "answers.jsonl"], run=run, options=options)
        import_files(store, "chat", [folder / "people.jsonl"], run=run, options=ImportOptions(human="human"))
    with store.run(Run("build-pairs")) as run:
        recipe = BUILT_IN["tso"].with_options(pairs_per_prompt=2)
        build_pairs(store, "main", base="owl/v3/7", recipe=recipe, run=run, allow_short=True)
    return store


@pytest.fixture
def every_kind(copy):
    """Return the copy with a build of each built-in recipe that leaves nothing open and finds material here."""
    for name, recipe in BUILT_IN.items():
        with contextlib.suppress(RecipeError, UsageError, EmptyPoolError), copy.run(Run(name)) as run:
            build_pairs(copy, name, base="owl/v3/7", recipe=recipe, run=run, allow_short=True)
    return copy


@pytest.fixture
def copy(whole, tmp_path):
    """Return a copy of the whole store, with its mark."""
    path = tmp_path / "s.duckdb"
    shutil.copy(whole.path, path)
    shutil.copy(mark_path(whole.path), mark_path(path))
    return Store(path, 5.0)


@pytest.fixture
def exported(copy, tmp_path):
    """Return the directory of an export of the copy."""
    with copy.run(Run("export")) as run:
        export_build(copy, "main", to="trl", out=tmp_path / "out", run=run)
    return tmp_path / "out"


@pytest.fixture
def by_hand(copy):
    """Change the copy as somebody with DuckDB and no care would."""

    def change(*statements):
        with duckdb.connect(str(copy.path)) as connection:
            for statement in statements:
                connection.execute(statement)

    return change


@pytest.fixture
def found(copy):
    """Return the names of the checks that find something, and how many rows."""

    def names(**options):
        return {finding.check.name: finding.n_rows for finding in check_store(copy, **options).findings}

    return names
