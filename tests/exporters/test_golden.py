"""Every format as a golden file: the rows of its training split, and the files beside them."""

import json
from pathlib import Path

import pytest
from pyarrow import parquet

from tsodata.exporters import FORMATS, export_build
from tsodata.provenance import Run

GOLDEN = Path(__file__).with_name("golden")
BESIDE = {
    "llama-factory": "dataset_info.json",
    "axolotl": "axolotl.yaml",
    "kto": "README.md",
    "jsonl": "README.md",
    "ranked": "croissant.json",
}


def rows_of(directory, to):
    path = directory / FORMATS[to].file_of(FORMATS[to].train)
    if path.suffix == ".jsonl":
        return path.read_text()
    rows = parquet.ParquetFile(path).read().to_pylist()
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


@pytest.mark.parametrize("to", FORMATS)
def test_the_rows_of_a_format_are_the_golden_ones(store_for, tmp_path, to):
    export_build(store_for(to), "first", to=to, out=tmp_path / "out", run=Run("test"))

    assert rows_of(tmp_path / "out", to) == (GOLDEN / f"{to}.jsonl").read_text()


@pytest.mark.parametrize(("to", "name"), BESIDE.items())
def test_a_file_beside_the_rows_is_the_golden_one(store_for, tmp_path, to, name):
    export_build(store_for(to), "first", to=to, out=tmp_path / "out", run=Run("test"))

    assert (tmp_path / "out" / name).read_text() == (GOLDEN / f"{to}.{name}").read_text()


def test_every_format_has_a_golden_file():
    assert {path.name.removesuffix(".jsonl") for path in GOLDEN.glob("*.jsonl")} == set(FORMATS)
