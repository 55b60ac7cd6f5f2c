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
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from tsodata.errors import ImportRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_COMPRESSED = (".gz", ".zst")
_JSON = (".json", ".jsonl", ".ndjson")
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_KINDS = (*_JSON, *_DELIMITERS, ".parquet")
_PARQUET_BATCH_ROWS = 2_000
_BLOCK_BYTES = 1 << 20
_BOM = b"\xef\xbb\xbf"


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
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def bare_stem(path: Path) -> str:
    """Return a file's name without its compression and format suffixes."""
    plain = _uncompressed(path)
    return plain.stem if plain.suffix.lower() in _KINDS else plain.name


def _uncompressed(path: Path) -> Path:
    return path.with_name(path.stem) if path.suffix.lower() in _COMPRESSED else path


def iter_rows(path: Path) -> Iterator[RawRow]:
    """Yield the rows of a file, in order.

    Raises:
        ImportRefusedError: the file is missing, of no known kind, or broken as a whole.
    """
    if not path.is_file():
        raise ImportRefusedError(f"{path}: no such file")
    try:
        yield from _iter_kind(path)
    except (EOFError, OSError, zlib.error) as error:
        reason = str(error).partition("\n")[0]
        if path.suffix.lower() in _COMPRESSED:
            reason = f"the compressed data is broken or cut off ({reason}); fetch it again"
        raise ImportRefusedError(f"{path}: {reason}") from error
    except UnicodeDecodeError as error:
        raise ImportRefusedError(f"{path}: not UTF-8 ({error.reason}); convert it first") from error


def _iter_kind(path: Path) -> Iterator[RawRow]:
    kind = _uncompressed(path).suffix.lower()
    if kind not in _KINDS:
        known = ", ".join(_KINDS)
        raise ImportRefusedError(f"{path}: unknown kind of file {kind!r}; known are {known}, also as .gz and .zst")
    with _open_bytes(path) as file:
        if kind in _JSON:
            yield from _iter_json(path, file)
        elif kind in _DELIMITERS:
            yield from _iter_csv(path, file, _DELIMITERS[kind])
        else:
            yield from _iter_parquet(path, file)


def _open_bytes(path: Path) -> io.BufferedReader:
    if path.suffix.lower() == ".gz":
        return io.BufferedReader(cast("io.RawIOBase", gzip.open(path, "rb")), _BLOCK_BYTES)
    if path.suffix.lower() == ".zst":
        import pyarrow as pa

        return io.BufferedReader(pa.input_stream(str(path), compression="zstd"), _BLOCK_BYTES)
    return path.open("rb")


def _iter_json(path: Path, file: io.BufferedReader) -> Iterator[RawRow]:
    if file.peek(len(_BOM)).startswith(_BOM):
        file.read(len(_BOM))
    n_blank_lines = 0
    while (byte := file.peek(1)[:1]) and byte.isspace():
        n_blank_lines += byte == b"\n"
        file.read(1)
    yield from _iter_array(path, file) if byte == b"[" else _iter_lines(file, n_blank_lines + 1)


def _iter_array(path: Path, file: io.BufferedReader) -> Iterator[RawRow]:
    text = file.read().decode()
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ImportRefusedError(f"{path}: not valid JSON: {error}") from error
    for position, value in enumerate(values, 1):
        yield _as_row(position, value)


def _iter_lines(file: io.BufferedReader, first_line: int) -> Iterator[RawRow]:
    for number, line in enumerate(file, first_line):
        if line.isspace():
            continue
        try:
            value = json.loads(line.rstrip(b"\r\n").decode())
        except UnicodeDecodeError as error:
            yield RawRow(number, None, f"not UTF-8 at byte {error.start + 1} of the line")
        except (ValueError, RecursionError) as error:
            yield RawRow(number, None, f"not valid JSON: {error}")
        else:
            yield _as_row(number, value)


def _as_row(number: int, value: object) -> RawRow:
    if not isinstance(value, dict):
        return RawRow(number, None, f"not a JSON object but {type(value).__name__}")
    return RawRow(number, value)


def _iter_csv(path: Path, file: io.BufferedReader, delimiter: str) -> Iterator[RawRow]:
    csv.field_size_limit(1 << 30)
    with io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        reader = csv.DictReader(text, delimiter=delimiter, strict=True)
        try:
            _refuse_twins(path, reader.fieldnames or ())
            for number, value in enumerate(reader, 1):
                if None in value or None in value.values():
                    yield RawRow(number, None, "this row has more or fewer fields than the header")
                else:
                    yield RawRow(number, value)
        except csv.Error as error:
            raise ImportRefusedError(f"{path}: not valid CSV near line {reader.reader.line_num}: {error}") from error


def _refuse_twins(path: Path, names: Iterable[str]) -> None:
    twins = [name for name, count in Counter(names).items() if count > 1]
    if twins:
        raise ImportRefusedError(f"{path}: the header names {twins[0]!r} more than once; rename one column")


def _iter_parquet(path: Path, file: io.BufferedReader) -> Iterator[RawRow]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        source = file if path.suffix.lower() == ".parquet" else io.BytesIO(file.read())
        table = parquet.ParquetFile(source)
        _refuse_twins(path, table.schema_arrow.names)
        number = 0
        for batch in table.iter_batches(_PARQUET_BATCH_ROWS):
            for value in batch.to_pylist():
                number += 1
                yield RawRow(number, value)
    except (pa.ArrowException, ValueError, OverflowError) as error:
        reason = str(error).partition("\n")[0]
        raise ImportRefusedError(f"{path}: not a readable Parquet file: {reason}") from error
