"""A folder of material at one size: the store, filled through its own API, and the same rows for everybody else.

store.duckdb      the store
answers.parquet   prompt_key, response_key, source_key, sample_index, value, text
scores.parquet    prompt_key, response_key, source_key, value
prompts.parquet   prompt_key, text
rows.parquet, rows.jsonl   rows for `tso-data import records`; at most `ROWS_PROMPTS` prompts
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from benchmarks.material import ANSWERS_PER_PROMPT, JUDGE, RUBRIC, SLOTS, SOURCES, Chunk, iter_chunks
from tsodata.provenance import Run
from tsodata.records import Record
from tsodata.store import Store, Transaction

ROWS_PROMPTS = 100_000  # a million rows to import
READY = "ready"
_KEY = pa.uint64()


def fill(folder: Path, n_prompts: int, tell: Callable[[str], None]) -> None:
    """Make the folder of a size, unless it is there whole."""
    if (folder / READY).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "store.duckdb").unlink(missing_ok=True)
    store = Store.open(folder / "store.duckdb", create=True)
    with store.run(Run("benchmarks")) as run, ExitStack() as stack:
        with store.transaction(run) as transaction:
            transaction.append({type(SOURCES[0]): list(SOURCES), type(RUBRIC): [RUBRIC]})
        files = _Files(folder, stack)
        for number, chunk in enumerate(iter_chunks(n_prompts), 1):
            with store.transaction(run) as transaction:
                append(transaction, chunk)
            files.write(chunk)
            tell(f"{folder.name}: chunk {number} is stored")
    (folder / READY).touch()


def append(transaction: Transaction, chunk: Chunk) -> None:
    """Append a chunk's records."""
    lists: tuple[Sequence[Record], ...] = chunk
    transaction.append({type(records[0]): list(records) for records in lists})


class _Files:
    """The Parquet and JSON files of a folder, written chunk by chunk."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._writers: dict[str, parquet.ParquetWriter] = {}
        self._lines = stack.enter_context((folder / "rows.jsonl").open("w", encoding="utf-8"))
        self._n_prompts = 0

    def write(self, chunk: Chunk) -> None:
        """Write a chunk to every file."""
        answers, scores = chunk.answers, chunk.scores
        owners = {
            "prompt_key": pa.array([answer.prompt_key for answer in answers], _KEY),
            "response_key": pa.array([answer.response_key for answer in answers], _KEY),
            "source_key": pa.array([answer.source_key for answer in answers], _KEY),
        }
        texts = pa.array([answer.text for answer in answers])
        samples = pa.array([answer.sample_index for answer in answers], pa.int32())
        values = pa.array([score.value for score in scores], pa.float64())
        self._write("answers", {**owners, "sample_index": samples, "value": values, "text": texts})
        self._write("scores", {**owners, "value": values})
        keys = pa.array([prompt.prompt_key for prompt in chunk.prompts], _KEY)
        self._write("prompts", {"prompt_key": keys, "text": pa.array([prompt.text for prompt in chunk.prompts])})
        if self._n_prompts < ROWS_PROMPTS:
            rows = _rows(chunk)
            self._write("rows", {name: [row[name] for row in rows] for name in rows[0]})
            self._lines.writelines(f"{json.dumps(row)}\n" for row in rows)
        self._n_prompts += len(chunk.prompts)

    def _write(self, name: str, columns: dict[str, Any]) -> None:
        table = pa.table(columns)
        if name not in self._writers:
            path = self._folder / f"{name}.parquet"
            self._writers[name] = self._stack.enter_context(
                parquet.ParquetWriter(path, table.schema, compression="zstd")
            )
        self._writers[name].write_table(table)


def _rows(chunk: Chunk) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for place, (answer, score) in enumerate(zip(chunk.answers, chunk.scores, strict=True)):
        prompt, slot = place // ANSWERS_PER_PROMPT, SLOTS[place % ANSWERS_PER_PROMPT]
        is_human = slot.source.kind == "human"
        rows.append(
            {
                "prompt": chunk.prompts[prompt].text,
                "prompt_id": chunk.origins[prompt].external_id,
                "response": answer.text,
                "human": "true" if is_human else None,
                "family": None if is_human else slot.source.family,
                "version": slot.source.version,
                "size": None if is_human else f"{slot.source.size_b:g}",
                "sample": slot.sample_index,
                "score": score.value,
                "judge": JUDGE,
                "rubric": RUBRIC.name,
                "scale_min": RUBRIC.scale_min,
                "scale_max": RUBRIC.scale_max,
            }
        )
    return rows
