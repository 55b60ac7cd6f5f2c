"""What this machine can do at most: the floors under each task, measured on the same files."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from benchmarks.costs import cpu_s
from tsodata.store import Reader, Store

GROUPED = "create or replace temp table floor as select prompt_key, count(*) as n from {table} group by prompt_key"
SQL = {
    "scan the draw's columns": "select bit_xor(prompt_key), bit_xor(response_key), bit_xor(source_key) from responses",
    "group the answers by prompt": GROUPED.format(table="responses"),
    "group the scores by prompt": GROUPED.format(table="scores"),
    "group and add up the scores' powers": "select sum(a), sum(b), sum(c), sum(d) from (select sum(value) as a, "
    "sum(value * value) as b, sum(value * value * value) as c, sum(value * value * value * value) as d "
    "from scores group by prompt_key)",
    "hash the answers' keys into a race": "select max(tso_race(response_key, 1, 0.5)) from responses",
    "decompress all answers": "select sum(strlen(text)), bit_xor(ascii(text)) from responses",
}


def floors(folder: Path) -> dict[str, float]:
    """Return the processor seconds of each floor."""
    found = {}
    with Store.open(folder / "store.duckdb").reader() as reader:
        for name, sql in SQL.items():
            found[name] = _cost(lambda sql=sql: _run(reader, sql))  # type: ignore[misc]
    found["read the store's file"] = _cost(lambda: _read(folder / "store.duckdb"))
    found["copy 1 GB in memory"] = _cost(_copy)
    found["decompress answers.parquet"] = _cost(lambda: _decompress(folder / "answers.parquet"))
    texts = parquet.ParquetFile(folder / "answers.parquet").read_row_group(0, columns=["text"])
    times = parquet.read_metadata(folder / "answers.parquet").num_rows / texts.num_rows / 5  # two of ten answers
    found["compress the pairs' answers as Parquet"] = times * _cost(lambda: _compress(texts))
    return found


def _cost(work: Callable[[], object]) -> float:
    work()  # the first run brings the file into the system's cache
    cpu = cpu_s()
    work()
    return cpu_s() - cpu


def _run(reader: Reader, sql: str) -> None:
    reader.connection.execute(sql).fetchall()


def _read(path: Path) -> None:
    with path.open("rb", buffering=0) as file:
        while file.read(1 << 24):
            pass


def _copy() -> None:
    block = np.ones(1 << 27, dtype=np.uint8)
    for _ in range(8):
        block.copy()


def _compress(table: pa.Table) -> None:
    parquet.write_table(table, io.BytesIO(), compression="zstd", row_group_size=4_096)


def _decompress(path: Path) -> None:
    for _ in parquet.ParquetFile(path).iter_batches(columns=["text"]):
        pass
