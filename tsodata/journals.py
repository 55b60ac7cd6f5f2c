"""Parquet journals: what models were asked, and what they said, in a folder that shares no store with others.

Each batch is a whole file, or none; `tso-data import journal` takes them into a store. Knows the columns that every
attempt has, and leaves it to whoever asks what else a row holds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsodata.calls import Call, Reply
from tsodata.errors import UsageError
from tsodata.placing import sync_directory
from tsodata.provenance import format_id

if TYPE_CHECKING:
    import pyarrow as pa

DEFAULT_FOLDER = Path("journals")
MERGE_FILES = 50  # files of a run become one, once there are so many


class Journal:
    """A folder of Parquet files to which one run adds."""

    def __init__(self, folder: Path, schema: pa.Schema, *, run_key: int) -> None:
        """Make the folder, unless it is there.

        Raises:
            UsageError: it cannot be made.
        """
        self.folder, self.run_key = folder, run_key
        self._schema = schema
        self._n_files = 0
        self._parts: list[Path] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{folder} cannot be made: {error.strerror or error}; pass another --journal") from None

    def write(self, lines: Sequence[dict[str, Any]]) -> None:
        """Add rows, as a file of their own."""
        import pyarrow as pa

        self._parts.append(self._written(pa.Table.from_pylist(list(lines), schema=self._schema)))
        if len(self._parts) >= MERGE_FILES:
            self._merge()

    def close(self) -> None:
        """Make one file of the files of this run."""
        if len(self._parts) > 1:
            self._merge()

    def _merge(self) -> None:
        """Put one file in the place of many; killed in between, it leaves some rows twice, which do no harm."""
        import pyarrow as pa
        from pyarrow import parquet

        merged = self._written(pa.concat_tables([parquet.read_table(path) for path in self._parts]))
        for path in self._parts:
            path.unlink()
        self._parts = [merged]

    def _written(self, table: pa.Table) -> Path:
        from pyarrow import parquet

        self._n_files += 1
        path = self.folder / f"{format_id('run', self.run_key)}-{self._n_files:05d}.parquet"
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            parquet.write_table(table, file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_directory(self.folder)
        return path


def iter_accepted(folder: Path, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield these columns of the accepted attempts in a folder, of the files that have them all.

    Raises:
        UsageError: a file is no journal.
    """
    import pyarrow as pa
    from pyarrow import parquet

    for path in sorted(folder.glob("*.parquet")):
        try:
            if set(columns) <= set(parquet.read_schema(path).names):
                rows = parquet.read_table(path, columns=[*columns, "failure"]).to_pylist()
                yield from (row for row in rows if row["failure"] is None)
        except (OSError, pa.ArrowException, KeyError) as error:
            what = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise UsageError(f"{path} is no journal ({what}); move it away, or pass another --journal") from None


def call_columns() -> dict[str, pa.DataType]:
    """Return the columns of an attempt; keys are 16 hex digits."""
    import pyarrow as pa

    texts = (
        "call_key", "request_key", "task", "engine", "endpoint", "model", "failure", "detail", "prompt_key",
        "served_model", "prompt_sha256",
    )  # fmt: skip
    counts = {"attempt": pa.int32(), "n_prompt_tokens": pa.int64(), "n_completion_tokens": pa.int64()}
    return {**dict.fromkeys(texts, pa.string()), **counts, "seconds": pa.float64()}


def call_line(call: Call, reply: Reply | None) -> dict[str, Any]:
    """Return the values of `call_columns`."""
    return {
        "call_key": hex_key(call.call_key),
        "request_key": hex_key(call.request_key),
        "task": call.task,
        "engine": call.engine,
        "endpoint": call.endpoint,
        "model": call.model,
        "attempt": call.attempt,
        "failure": call.failure,
        "detail": call.detail,
        "n_prompt_tokens": call.n_prompt_tokens,
        "n_completion_tokens": call.n_completion_tokens,
        "seconds": call.seconds,
        "prompt_key": hex_key(call.prompt_key),
        "served_model": reply.served_model if reply else None,
        "prompt_sha256": reply.prompt_sha256 if reply else None,
    }


def hex_key(key: int | None) -> str | None:
    """Return a key as journals hold it."""
    return None if key is None else f"{key:016x}"
