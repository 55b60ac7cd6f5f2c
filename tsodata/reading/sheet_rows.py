"""Rows of an .xlsx workbook's first sheet, by its header: the first row that is not empty.

Numbers that are whole become whole (12.0 is 12), dates ISO 8601 texts, empty cells None. Rows without any value are no
rows, like blank lines, but they are counted. A formula counts by its saved result where that is a number or a date,
else as a `Formula`. What a workbook
holds besides its XML (macros, pictures) is never unpacked, and XML with a document type, which bombs need, is refused.
"""

from __future__ import annotations

import datetime as dt
import io
import warnings
import zipfile
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from tsodata.errors import ImportRefusedError
from tsodata.reading.csv_rows import refuse_twins
from tsodata.reading.limits import Limits, oversize
from tsodata.reading.rows import Formula, RawRow
from tsodata.reading.unpacking import BLOCK_BYTES, held

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_MAX_SHEET_ROWS = 1_048_576  # of Excel's own format
_BLOCK_ROWS = 500
_XML = (".xml", ".rels")
Views: TypeAlias = "tuple[Sequence[Any], ...]"  # the cells of a row: as values, and as formulas where there are some


def iter_sheet(path: Path, file: io.BufferedReader, limits: Limits) -> Iterator[RawRow]:
    """Yield the rows of the first sheet.

    Raises:
        ImportRefusedError: openpyxl is not installed, or the file is no workbook, or beyond the limits.
    """
    try:
        import openpyxl
    except ImportError:
        raise ImportRefusedError(
            f"{path}: reading .xlsx needs openpyxl; install it (pip install 'tso[xlsx]'), or save the sheet as CSV"
        ) from None
    with _refusing(path):
        parts = _unpacked(path, held(path, file, limits), limits)
        with _quiet():
            books = [openpyxl.load_workbook(io.BytesIO(parts.book), read_only=True, data_only=True)]
            if parts.has_formulas:
                books.append(openpyxl.load_workbook(io.BytesIO(parts.book), read_only=True))
            sheets = [_first_sheet(path, book) for book in books]
        yield from _sheet_rows(path, _iter_quietly(zip(*(sheet.iter_rows() for sheet in sheets), strict=True)), limits)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep openpyxl from warning of styles and extensions, which no row shows, and of odd dates, which are refused."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _iter_quietly(views: Iterator[Views]) -> Iterator[Views]:
    while True:
        with _quiet():  # never across a yield: the filters are the whole process's
            block = list(islice(views, _BLOCK_ROWS))
        if not block:
            return
        yield from block


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except (ImportRefusedError, MemoryError):
        raise
    except Exception as error:  # whatever a parser of others trips over is the file's fault
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ImportRefusedError(f"{path}: not a readable .xlsx file: {reason}") from error


class _Parts(NamedTuple):
    """A workbook with its XML alone, not compressed."""

    book: bytes
    has_formulas: bool


def _unpacked(path: Path, packed: io.BytesIO, limits: Limits) -> _Parts:
    """Return what a parser may see: sizes that an archive states are not believed."""
    most = min(limits.held_bytes, max(limits.ratio_from_bytes, limits.unpacking_ratio * len(packed.getbuffer())))
    book, total, has_formulas = io.BytesIO(), 0, False
    with zipfile.ZipFile(packed) as source, zipfile.ZipFile(book, "w") as target:
        for name in dict.fromkeys(source.namelist()):
            if not name.lower().endswith(_XML):
                continue
            content = bytearray()
            with source.open(name) as member:
                while block := member.read(BLOCK_BYTES):
                    content += block
                    total += len(block)
                    if total > most:
                        raise ImportRefusedError(f"{path}: unpacks to more than {most} bytes; save the sheet as CSV")
            if b"<!DOCTYPE" in content or b"\0" in content:
                raise ImportRefusedError(f"{path}: {name!r} in it has a document type or is not UTF-8")
            has_formulas = has_formulas or b"<f" in content or b":f" in content
            target.writestr(name, bytes(content))
    return _Parts(book.getvalue(), has_formulas)


def _first_sheet(path: Path, book: Any) -> Any:
    if not book.worksheets:
        raise ImportRefusedError(f"{path}: a workbook without sheets")
    sheet = book.worksheets[0]
    sheet.reset_dimensions()  # a file states its own size, and may lie
    return sheet


def _sheet_rows(path: Path, rows: Iterator[Views], limits: Limits) -> Iterator[RawRow]:
    names: list[str] | None = None
    for number, views in enumerate(rows, 1):
        if number > _MAX_SHEET_ROWS:
            raise ImportRefusedError(f"{path}: more than {_MAX_SHEET_ROWS} rows, more than a sheet can have")
        cells = views[0]
        problem = _bad_cell(cells, views[-1], number)
        values = [_value(cell, typed) for cell, typed in zip(cells, views[-1], strict=True)]
        if problem is None and all(value is None for value in values):
            continue
        if names is None:
            names = ["" if value is None else str(value) for value in values]
            refuse_twins(path, [name for name in names if name])
        elif problem:
            yield RawRow(number, None, problem)
        else:
            yield _as_row(number, names, values, limits=limits)


def _bad_cell(cells: Sequence[Any], formulas: Sequence[Any], number: int) -> str | None:
    for position, (cell, typed) in enumerate(zip(cells, formulas, strict=True), 1):
        if cell.data_type == "e" and typed.data_type != "f":
            return f"column {position} of row {number} holds the error {cell.value}"
    return None


def _value(cell: Any, typed: Any) -> object:
    """Return the value of a cell, or its formula where only that may be meant."""
    value = _plain(cell.value)
    if typed.data_type != "f" or (isinstance(cell.value, (int, float, dt.date)) and cell.data_type != "e"):
        return value
    return Formula(str(getattr(typed.value, "text", typed.value)))


def _as_row(number: int, names: Sequence[str], values: Sequence[object], *, limits: Limits) -> RawRow:
    padded = [*values, *[None] * (len(names) - len(values))]
    if any(value is not None for value in padded[len(names) :]) or any(
        value is not None and not name for name, value in zip(names, padded, strict=False)
    ):
        return RawRow(number, None, "a value stands in a column without a name in the header")
    row = {name: value for name, value in zip(names, padded, strict=False) if name}
    if sum(len(value) for value in values if isinstance(value, str)) > limits.row_bytes:
        return RawRow(number, None, f"more than {limits.row_bytes} bytes, the most that a row may have")
    problem = oversize(
        {name: value.text if isinstance(value, Formula) else value for name, value in row.items()}, limits
    )
    return RawRow(number, None, problem) if problem else RawRow(number, row)


def _plain(value: object) -> object:
    """Return a cell's value as an importer takes it."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return str(value)
    return None if value == "" else value
