"""Rows of Parquet and Arrow files, batch by batch, with the types that the file states.

Values arrive as Python's own: decimals, dates and bytes as such, maps as lists of pairs. A batch that does not convert
is converted row by row, so that one bad value costs one row.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from tsodata.errors import ImportRefusedError
from tsodata.reading.csv_rows import refuse_twins
from tsodata.reading.kinds import ARROW, PARQUET
from tsodata.reading.limits import Limits, oversize
from tsodata.reading.rows import RawRow
from tsodata.reading.unpacking import held

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

_BATCH_ROWS = 2_000
_LEAST_ROWS = 8
_FILE_MAGIC = b"ARROW1"
_PAGE_HEADER = re.compile(rb"\x15([\x80-\xff]*[\0-\x7f])" * 3, re.DOTALL)  # three fields in turn, each an int32
_PAGE_HEADER_BYTES = 18
_DICTIONARY_PAGE = 2


def iter_parquet(path: Path, file: io.BufferedReader, limits: Limits) -> Iterator[RawRow]:
    """Yield the rows of a Parquet file.

    Raises:
        ImportRefusedError: it cannot be read, or holds more or fewer rows than its footer says.
    """
    from pyarrow import parquet

    with _refusing(path, "Parquet"):
        source = file if path.suffix.lower() == PARQUET else held(path, file, limits)
        table = parquet.ParquetFile(source)
        stated = table.metadata.num_rows
        _refuse_shape(path, table.schema_arrow, stated, limits=limits)
        number = 0
        for batch in table.iter_batches(_rows_at_once(source, table, limits)):
            yield from _batch_rows(batch, number, limits)
            number += batch.num_rows
        if number != stated:
            raise ImportRefusedError(f"{path}: the footer states {stated} rows, but the file holds {number}")


def _rows_at_once(source: IO[bytes], table: pa.parquet.ParquetFile, limits: Limits) -> int:
    """Return how many rows may be decoded together.

    A text of a dictionary stands once in the file and once per row in memory: 300 bytes can hold a thousand rows of a
    million characters. No text is longer than its dictionary, so the largest dictionary bounds the batch.

    A row of each group is read first: where what the footer says of a chunk contradicts itself, that is an error, but
    to ask for the chunk by itself would end the process (pyarrow 26).
    """
    metadata = table.metadata
    for position in range(metadata.num_row_groups):
        next(table.iter_batches(1, row_groups=[position]), None)
    groups = (metadata.row_group(position) for position in range(metadata.num_row_groups))
    chunks = (group.column(position) for group in groups for position in range(group.num_columns))
    longest = max((_dictionary_bytes(source, chunk) for chunk in chunks), default=0)
    return max(_LEAST_ROWS, min(_BATCH_ROWS, limits.held_bytes // 4 // max(longest, 1)))


def _dictionary_bytes(source: IO[bytes], chunk: pa.parquet.ColumnChunkMetaData) -> int:
    """Return the size of a chunk's dictionary, from the header of its first page; 0 where it has none.

    The header is Thrift's compact protocol: kind of page, size unpacked, size packed, each a zigzag varint. Where it is
    anything else, the size is that of the whole chunk.
    """
    starts = [chunk.data_page_offset, chunk.dictionary_page_offset if chunk.has_dictionary_page else None]
    source.seek(min(start for start in starts if start is not None and start > 0))
    found = _PAGE_HEADER.match(source.read(_PAGE_HEADER_BYTES))
    if not found:
        return int(chunk.total_uncompressed_size)
    kind, unpacked, packed = (_number(varint) for varint in found.groups())
    return max(unpacked, packed) if kind == _DICTIONARY_PAGE else 0


def _number(varint: bytes) -> int:
    """Return the number of a zigzag varint: seven bits a byte, the lowest first, the lowest of all the sign."""
    bits = sum((byte & 0x7F) << 7 * position for position, byte in enumerate(varint))
    return -(bits >> 1) - 1 if bits & 1 else bits >> 1


def iter_arrow(path: Path, file: io.BufferedReader, limits: Limits) -> Iterator[RawRow]:
    """Yield the rows of an Arrow stream or file, memory-mapped, as `datasets` writes it to disk.

    Raises:
        ImportRefusedError: it cannot be read.
    """
    import pyarrow as pa

    with _refusing(path, "Arrow"):
        source = pa.memory_map(str(path)) if path.suffix.lower() == ARROW else held(path, file, limits)
        is_file = file.peek(len(_FILE_MAGIC)).startswith(_FILE_MAGIC)
        reader = pa.ipc.open_file(source) if is_file else pa.ipc.open_stream(source)
        _refuse_shape(path, reader.schema, 0, limits=limits)
        number = 0
        for batch in map(reader.get_batch, range(reader.num_record_batches)) if is_file else reader:
            batch.validate(full=True)  # offsets that point outside would be followed otherwise
            for start in range(0, batch.num_rows, _BATCH_ROWS):
                yield from _batch_rows(batch.slice(start, _BATCH_ROWS), number + start, limits)
            number += batch.num_rows


@contextmanager
def _refusing(path: Path, kind: str) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, ValueError, OverflowError, KeyError, MemoryError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ImportRefusedError(f"{path}: not a readable {kind} file: {reason}") from error


def _refuse_shape(path: Path, schema: pa.Schema, n_rows: int, *, limits: Limits) -> None:
    refuse_twins(path, schema.names)
    if n_rows > limits.file_rows:
        raise ImportRefusedError(f"{path}: {n_rows} rows, more than the {limits.file_rows} that are read; split it")
    if len(schema.names) > limits.columns:
        raise ImportRefusedError(
            f"{path}: {len(schema.names)} columns, more than the {limits.columns} that are read; keep those you need"
        )
    if any(_depth(field.type) >= limits.depth for field in schema):
        raise ImportRefusedError(f"{path}: a column is nested more than {limits.depth} deep")


def _depth(kind: pa.DataType) -> int:
    """Return how many lists and structs stand within each other in a type."""
    deepest, waiting = 0, [(kind, 0)]
    while waiting:
        inner, depth = waiting.pop()
        deepest = max(deepest, depth)
        waiting += [(inner.field(position).type, depth + 1) for position in range(inner.num_fields)]
    return deepest


def _batch_rows(batch: pa.RecordBatch, before: int, limits: Limits) -> Iterator[RawRow]:
    is_large = batch.nbytes > min(limits.row_bytes, limits.string_chars)
    for position, value in enumerate(_values(batch)):
        number = before + position + 1
        if isinstance(value, str):
            yield RawRow(number, None, value)
        elif is_large and (problem := _too_large(batch.slice(position, 1), value, limits)):
            yield RawRow(number, None, problem)
        else:
            yield RawRow(number, value)


def _too_large(row: pa.RecordBatch, value: dict[str, Any], limits: Limits) -> str | None:
    if row.nbytes > limits.row_bytes:
        return f"more than {limits.row_bytes} bytes, the most that a row may have"
    return oversize(value, limits)


def _values(batch: pa.RecordBatch) -> list[dict[str, Any] | str]:
    """Return each row, or why it does not convert: texts that are not UTF-8, times finer than a microsecond."""
    import pyarrow as pa

    try:
        return list(_in_microseconds(batch).to_pylist())
    except (pa.ArrowException, ValueError, OverflowError):
        return [_value(batch.slice(position, 1)) for position in range(batch.num_rows)]


def _in_microseconds(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch with times as Python holds them; where pandas is installed, Arrow would give pandas' own."""
    import pyarrow as pa

    for position, field in enumerate(batch.schema):
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            column = batch.column(position).cast(pa.timestamp("us", field.type.tz))
            batch = batch.set_column(position, field.name, column)
    return batch


def _value(row: pa.RecordBatch) -> dict[str, Any] | str:
    import pyarrow as pa

    try:
        value: dict[str, Any] = _in_microseconds(row).to_pylist()[0]
    except (pa.ArrowException, ValueError, OverflowError) as error:
        return f"no value of Python's: {str(error).partition(chr(10))[0]}"
    return value
