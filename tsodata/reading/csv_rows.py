"""Rows of CSV and TSV: every value is text, and every row has the header's fields."""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import TYPE_CHECKING

from tsodata.errors import ImportRefusedError
from tsodata.reading.limits import Limits, oversize
from tsodata.reading.rows import RawRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path


def iter_csv(path: Path, file: io.BufferedReader, delimiter: str, *, limits: Limits) -> Iterator[RawRow]:
    """Yield the rows below the header.

    Raises:
        ImportRefusedError: the header has twins, a quote is never closed, or a line or field is beyond all limits:
            where such a row ends cannot be told.
    """
    csv.field_size_limit(limits.row_bytes)  # the module's own, set anew for each file
    with io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
        reader = csv.reader(_lines(path, text, limits), delimiter=delimiter, strict=True)
        start = 1
        try:
            names = next(reader, [])
            refuse_twins(path, names)
            start, number = reader.line_num + 1, 0
            for fields in reader:
                if fields:
                    number += 1
                    yield _as_row(number, names, fields, limits=limits)
                start = reader.line_num + 1
        except csv.Error as error:
            raise ImportRefusedError(
                f"{path}: not valid CSV in the row from line {start} on: {error}; look for a quote never closed"
            ) from error


def _lines(path: Path, text: io.TextIOWrapper, limits: Limits) -> Iterator[str]:
    most = limits.row_bytes
    number = 0
    while line := text.readline(most + 1):
        number += 1
        if len(line) > most and line[-1] not in "\r\n":
            raise ImportRefusedError(f"{path}: line {number} is longer than {most} characters, the most that is read")
        yield line


def _as_row(number: int, names: Sequence[str], fields: list[str], *, limits: Limits) -> RawRow:
    if len(fields) != len(names):
        return RawRow(number, None, f"this row has {len(fields)} fields, and the header {len(names)}")
    n_chars = sum(map(len, fields))
    if n_chars > limits.row_bytes:
        return RawRow(number, None, f"more than {limits.row_bytes} bytes, the most that a row may have")
    value = dict(zip(names, fields, strict=True))
    if (n_chars > limits.string_chars or len(fields) > limits.columns) and (problem := oversize(value, limits)):
        return RawRow(number, None, problem)
    return RawRow(number, value)


def refuse_twins(path: Path, names: Iterable[str]) -> None:
    """Refuse a header that names two columns alike.

    Raises:
        ImportRefusedError: it does.
    """
    twins = [name for name, count in Counter(names).items() if count > 1]
    if twins:
        raise ImportRefusedError(f"{path}: the header names {twins[0]!r} more than once; rename one column")
