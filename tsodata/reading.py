"""From bytes to rows: JSON arrays, JSON lines, CSV, TSV and Parquet, plain or as .gz or .zst.

Yields each row with its place in the file, and each row that is no row with the reason. Knows no format of the field.
Foreign bytes are parsed by json, csv and pyarrow, never by the database.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from tsodata.errors import ImportRefusedError

_COMPRESSED = (".gz", ".zst")
_JSON = (".json", ".jsonl", ".ndjson")
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_PARQUET_BATCH_ROWS = 2_000
_HASH_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as parsed: `line` counts lines of JSON lines, else rows, from 1; `problem` says why there is no value."""

    line: int
    value: dict[str, Any] | None
    problem: str | None = None


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def bare_stem(path: Path) -> str:
    """Return a file's name without its compression and format suffixes."""
    name = path.name
    for suffix in (*_COMPRESSED, *_JSON, *_DELIMITERS, ".parquet"):
        name = name.removesuffix(suffix)
    return name


def iter_rows(path: Path) -> Iterator[RawRow]:
    """Yield the rows of a file, in order.

    Raises:
        ImportRefusedError: the file is missing, of no known kind, or broken as a whole.
    """
    if not path.is_file():
        raise ImportRefusedError(f"{path}: no such file")
    kind = Path(path.name.removesuffix(".gz").removesuffix(".zst")).suffix.lower()
    try:
        if kind in _JSON:
            yield from _iter_json(path)
        elif kind in _DELIMITERS:
            yield from _iter_csv(path, _DELIMITERS[kind])
        elif kind == ".parquet":
            yield from _iter_parquet(path)
        else:
            kinds = ", ".join((*_JSON, *_DELIMITERS, ".parquet"))
            raise ImportRefusedError(f"{path}: unknown kind of file {kind!r}; known are {kinds}, also as .gz and .zst")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ImportRefusedError(
            f"{path}: the compressed data is broken or cut off ({error}); fetch it again"
        ) from error
    except UnicodeDecodeError as error:
        raise ImportRefusedError(f"{path}: not UTF-8 at byte {error.start}; convert it first") from error


def _open_text(path: Path, *, newline: str | None = None) -> IO[str]:
    return io.TextIOWrapper(_open_bytes(path), encoding="utf-8-sig", newline=newline)


def _open_bytes(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return cast("IO[bytes]", gzip.open(path, "rb"))
    if path.suffix == ".zst":
        import pyarrow as pa

        try:
            return io.BytesIO(pa.input_stream(str(path), compression="zstd").read())
        except OSError as error:
            raise ImportRefusedError(
                f"{path}: the compressed data is broken or cut off ({error}); fetch it again"
            ) from error
    return path.open("rb")


def _iter_json(path: Path) -> Iterator[RawRow]:
    with _open_text(path) as file:
        first = file.read(1)
        while first.isspace():
            first = file.read(1)
    with _open_text(path) as file:
        yield from _iter_array(path, file) if first == "[" else _iter_lines(file)


def _iter_array(path: Path, file: IO[str]) -> Iterator[RawRow]:
    try:
        values = json.load(file)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ImportRefusedError(f"{path}: not valid JSON: {error}") from error
    for position, value in enumerate(values, 1):
        yield _as_row(position, value)


def _iter_lines(file: IO[str]) -> Iterator[RawRow]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            yield RawRow(number, None, f"not valid JSON: {error}")
        else:
            yield _as_row(number, value)


def _as_row(number: int, value: object) -> RawRow:
    if not isinstance(value, dict):
        return RawRow(number, None, f"not a JSON object but {type(value).__name__}")
    return RawRow(number, value)


def _iter_csv(path: Path, delimiter: str) -> Iterator[RawRow]:
    csv.field_size_limit(1 << 30)
    with _open_text(path, newline="") as file:
        reader = csv.DictReader(file, delimiter=delimiter, strict=True)
        try:
            for number, value in enumerate(reader, 1):
                if None in value or None in value.values():
                    yield RawRow(number, None, "this row has more or fewer fields than the header")
                else:
                    yield RawRow(number, value)
        except csv.Error as error:
            raise ImportRefusedError(f"{path}: not valid CSV near line {reader.line_num}: {error}") from error


def _iter_parquet(path: Path) -> Iterator[RawRow]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with _open_bytes(path) as file:
            source = file if path.suffix == ".parquet" else io.BytesIO(file.read())
            number = 0
            for batch in parquet.ParquetFile(source).iter_batches(_PARQUET_BATCH_ROWS):
                for value in batch.to_pylist():
                    number += 1
                    yield RawRow(number, value)
    except pa.ArrowException as error:
        raise ImportRefusedError(f"{path}: not a readable Parquet file: {str(error).splitlines()[0]}") from error
