"""How rows leave a command: a table for people, JSON or CSV for programs, or a Parquet file.

A table is cut to be read: more rows than the limit are told on stderr, long texts end in …, line ends show as ⏎. JSON,
CSV and Parquet hold every row, whole. Cells are data and not changed, also not where a spreadsheet reads a formula: for
CSV that people open in one, there is a way out that puts an apostrophe before such cells.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

import polars as pl

from tsodata.correcting.sheets import FORMULA
from tsodata.errors import QueryError, UsageError

from .exits import narrate
from .legible import legible

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import duckdb
    import pyarrow as pa

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

MAX_WIDTH = 60
_SLICE_ROWS = 10_000
_UNREADABLE = ("interval", "time with time zone", "union", "variant", "bignum", "bit")
_NESTING = ("list", "array", "struct", "map")
_FIRST_DAY = date.min.toordinal() - date(1970, 1, 1).toordinal()
_LAST_DAY = date.max.toordinal() - date(1970, 1, 1).toordinal()
_PER_DAY = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


def fetch(relation: duckdb.DuckDBPyRelation, *, at_most: int | None = None) -> pa.Table:
    """Return the rows of a relation, or its first rows: the others are not even computed where that can be.

    Raises:
        QueryError: a column is of a type that only the database can show.
    """
    for name, kind in zip(relation.columns, relation.types, strict=True):
        if _is_unreadable(kind):
            raise QueryError(
                f"column {name!r} is of type {kind}, which stays in the database; cast it: {name}::varchar"
            )
    return (relation if at_most is None else relation.limit(at_most)).to_arrow_table()


def to_frame(rows: pa.Table) -> pl.DataFrame:
    """Return rows as they are written.

    Raises:
        QueryError: a column holds a date that only the database can show.
    """
    frame = pl.DataFrame(rows)
    for column in frame.iter_columns():
        if _has_far_dates(column):
            name = column.name
            raise QueryError(f"column {name!r} holds dates outside the years 1 to 9999; cast it: {name}::varchar")
    return frame


def _is_unreadable(kind: duckdb.sqltypes.DuckDBPyType) -> bool:
    if kind.id in _UNREADABLE:
        return True
    if kind.id not in _NESTING:
        return False
    return any(not isinstance(child, (int, list)) and _is_unreadable(child) for _, child in kind.children)


def _has_far_dates(column: pl.Series) -> bool:
    if isinstance(column.dtype, pl.Datetime):
        per_day = _PER_DAY[column.dtype.time_unit]
    elif isinstance(column.dtype, pl.Date):
        per_day = 1
    else:
        return False
    return not (column.drop_nulls().to_physical() // per_day).is_between(_FIRST_DAY, _LAST_DAY).all()


def write_frame(
    frame: pl.DataFrame,
    *,
    as_json: bool = False,
    as_csv: bool = False,
    as_csv_safe: bool = False,
    parquet: Path | None = None,
    limit: int | None = None,
) -> None:
    """Write the rows to stdout as a table, JSON or CSV, or to a Parquet file; `limit` cuts the table only.

    Raises:
        UsageError: more than one of JSON, CSV and Parquet, or a Parquet file that cannot be written.
    """
    if as_json + as_csv + as_csv_safe + (parquet is not None) > 1:
        raise UsageError("choose one of --json, --csv, --csv-safe and --parquet")
    if parquet is not None:
        write_parquet(frame, parquet)
    elif as_json:
        write_json(frame)
    elif as_csv:
        write_csv(frame)
    elif as_csv_safe:
        write_csv(without_formulas(frame))
    else:
        write_table(frame, limit=limit)


def write_table(frame: pl.DataFrame, *, limit: int | None = None, max_width: int = MAX_WIDTH) -> None:
    """Print the first rows as an aligned table; say on stderr where there are more."""
    shown = frame if limit is None else frame.head(limit)
    cells = shown.select(_legible(column, max_width) for column in shown.iter_columns())
    with pl.Config(
        tbl_formatting="ASCII_MARKDOWN",
        tbl_hide_column_data_types=True,
        tbl_hide_dataframe_shape=True,
        tbl_cell_numeric_alignment="RIGHT",
        tbl_cols=-1,
        tbl_rows=-1,
        tbl_width_chars=-1,
        fmt_str_lengths=max_width + 1,
    ):
        sys.stdout.write(f"{cells}\n")
    if len(shown) < len(frame):
        narrate(f"the first {len(shown)} rows; --limit shows more, --json, --csv and --parquet write all")


def _legible(column: pl.Series, max_width: int) -> pl.Series:
    if column.dtype.is_numeric():
        return column
    values = [None if value is None else _cut(_as_text(value), max_width) for value in column]
    return pl.Series(column.name, values, pl.String)


def _as_text(value: object) -> str:
    plain = to_json(value)
    if isinstance(plain, bool):
        return str(plain).lower()
    return plain.replace("T", " ", 1) if isinstance(value, datetime) and isinstance(plain, str) else _cell(plain)


def _cell(plain: Json) -> str:
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _cut(text: str, max_width: int) -> str:
    line = legible(text[: 2 * max_width + 2])
    return line if len(line) <= max_width else line[: max_width - 1] + "…"


def write_json(frame: pl.DataFrame) -> None:
    """Print a JSON array of objects, one a line; what is not a finite number is null."""
    before = "[\n"
    for row in frame.iter_rows(named=True, buffer_size=_SLICE_ROWS):
        sys.stdout.write(before + json.dumps(to_json(row), ensure_ascii=False, allow_nan=False))
        before = ",\n"
    sys.stdout.write("[]\n" if frame.is_empty() else "\n]\n")


def to_json(value: object) -> Json:
    """Return a value of a frame as JSON holds it: times in ISO 8601, bytes in hex, numbers as numbers where exact."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): to_json(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, pl.Series)):
        return [to_json(inner) for inner in value]
    return str(value)


def _number(value: Decimal) -> int | float | str:
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)


def write_csv(frame: pl.DataFrame) -> None:
    """Print CSV: nothing is null, a quoted nothing is the empty text, nested values are JSON."""
    flat = frame.with_columns(_flat(column) for column in frame.iter_columns())
    for start in range(0, max(len(flat), 1), _SLICE_ROWS):
        sys.stdout.write(flat.slice(start, _SLICE_ROWS).write_csv(include_header=start == 0))


def without_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with an apostrophe before each text, and column name, that a spreadsheet would run."""
    flat = frame.with_columns(_flat(column) for column in frame.iter_columns())
    texts = pl.col(pl.String)
    guarded = flat.with_columns(pl.when(texts.str.contains(FORMULA)).then("'" + texts).otherwise(texts).name.keep())
    return guarded.rename({name: f"'{name}" for name in flat.columns if re.match(FORMULA, name)})


def _flat(column: pl.Series) -> pl.Series:
    if not (column.dtype.is_nested() or isinstance(column.dtype, (pl.Binary, pl.Map))):
        return column
    values = [None if value is None else _cell(to_json(value)) for value in column]
    return pl.Series(column.name, values, pl.String)


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Write a Parquet file, whole or not at all.

    Raises:
        UsageError: the file cannot be written.
    """
    _write_whole(path, frame.write_parquet)
    narrate(f"wrote {len(frame)} rows to {path}")


def _write_whole(path: Path, write: Callable[[Path], None]) -> None:
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file in it")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(part)
        part.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
