"""Files of an export: rows as Parquet or JSON lines, pair ids as lines. Each is on the disk once it is closed."""

from __future__ import annotations

import contextlib
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Protocol

from tsodata.reading import file_sha256

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file of an export: its path in the export's directory with '/', its rows (0 for a card), its size, its hash."""

    path: str
    rows: int
    bytes: int
    sha256: str

    @classmethod
    def of(cls, directory: Path, path: str, *, rows: int) -> ExportedFile:
        """Return the entry of a file that lies in a directory."""
        where = directory / path
        return cls(path, rows, where.stat().st_size, file_sha256(where))


class RowsFile(Protocol):
    """A file that takes rows batch by batch."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Write the rows of a batch."""

    def finish(self) -> None:
        """Write what stands behind the last row."""

    def give_up(self) -> None:
        """Let go of the file, which is broken or no longer wanted."""


class ParquetRows:
    """Rows as Parquet, one row group per batch, with the schema as given."""

    def __init__(self, file: IO[bytes], schema: pa.Schema) -> None:
        from pyarrow import parquet

        self._writer = parquet.ParquetWriter(file, schema, compression="zstd")

    def write(self, batch: pa.RecordBatch) -> None:
        """Write a batch as one row group."""
        self._writer.write_batch(batch)

    def finish(self) -> None:
        """Write the footer."""
        self._writer.close()

    def give_up(self) -> None:
        """Close the writer, which would otherwise try to when it is collected, into a file that is closed."""
        with contextlib.suppress(Exception):
            self._writer.close()
        self._writer.is_open = False


class JsonRows:
    """Rows as JSON lines in UTF-8, one object a line."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, batch: pa.RecordBatch) -> None:
        """Write one line per row."""
        for row in batch.to_pylist():
            self._file.write(json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n")

    def finish(self) -> None:
        """Write nothing: the last line is the end."""

    def give_up(self) -> None:
        """Hold nothing."""


@contextmanager
def open_rows(path: Path, schema: pa.Schema) -> Iterator[RowsFile]:
    """Open a new file for rows, of the kind that its suffix asks for; at the end of the block the disk has it."""
    with open_synced(path) as file:
        rows = JsonRows(file) if path.suffix == ".jsonl" else ParquetRows(file, schema)
        try:
            yield rows
            rows.finish()
        except BaseException:
            rows.give_up()
            raise


@contextmanager
def open_synced(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file for bytes, making its folder; at the end of the block the disk has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
