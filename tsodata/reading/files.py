"""One file: its hash, its name, its rows."""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING

from tsodata.errors import ImportRefusedError
from tsodata.reading.arrow_rows import iter_arrow, iter_parquet
from tsodata.reading.csv_rows import iter_csv
from tsodata.reading.json_rows import iter_json
from tsodata.reading.kinds import ARROW, DELIMITERS, JSON, KINDS, PARQUET, bare_stem, is_packed, kind_of
from tsodata.reading.limits import Limits
from tsodata.reading.sheet_rows import iter_sheet
from tsodata.reading.unpacking import BLOCK_BYTES, open_bytes

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator
    from pathlib import Path

    from tsodata.reading.rows import RawRow

__all__ = ["bare_stem", "file_sha256", "iter_rows"]

_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def iter_rows(path: Path, limits: Limits | None = None) -> Iterator[RawRow]:
    """Yield the rows of a file, in order.

    Raises:
        ImportRefusedError: the file is missing, of no known kind, broken as a whole, or beyond the limits of a file.
    """
    limits = limits or Limits()
    if not path.is_file():
        raise ImportRefusedError(f"{path}: no such file")
    try:
        for position, row in enumerate(_iter_kind(path, limits)):
            if position >= limits.file_rows:
                raise ImportRefusedError(f"{path}: more than {limits.file_rows} rows; split it")
            yield row
    except (EOFError, OSError, zlib.error) as error:
        reason = str(error).partition("\n")[0]
        if is_packed(path):
            reason = f"the compressed data is broken or cut off ({reason}); fetch it again"
        raise ImportRefusedError(f"{path}: {reason}") from error
    except UnicodeDecodeError as error:
        raise ImportRefusedError(f"{path}: not UTF-8 ({error.reason}); convert it first") from error


def _iter_kind(path: Path, limits: Limits) -> Iterator[RawRow]:
    kind = kind_of(path)
    if kind not in KINDS:
        known = ", ".join(KINDS)
        raise ImportRefusedError(f"{path}: unknown kind of file {kind!r}; known are {known}, also as .gz and .zst")
    with open_bytes(path, limits) as file:
        if kind in JSON or kind in DELIMITERS:
            _strip_mark(path, file)
        if kind in JSON:
            yield from iter_json(path, file, limits)
        elif kind in DELIMITERS:
            yield from iter_csv(path, file, DELIMITERS[kind], limits=limits)
        elif kind == PARQUET:
            yield from iter_parquet(path, file, limits)
        elif kind == ARROW:
            yield from iter_arrow(path, file, limits)
        else:
            yield from iter_sheet(path, file, limits)


def _strip_mark(path: Path, file: io.BufferedReader) -> None:
    """Read over the byte order mark of UTF-8; refuse UTF-16 and UTF-32, told by theirs or by a NUL in the first two."""
    head = file.peek(len(_BOM))
    if head.startswith(_WIDE_BOMS) or b"\0" in head[:2]:
        raise ImportRefusedError(f"{path}: not UTF-8 but UTF-16 or UTF-32, by its first bytes; convert it first")
    if head.startswith(_BOM):
        file.read(len(_BOM))
