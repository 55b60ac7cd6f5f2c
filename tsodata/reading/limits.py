"""How large a file, a row and a value may be, and the look at a value that may be too large."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what is read. A row beyond one fails with its reason; a file beyond one is refused as a whole.

    The defaults are ours: far above any preference data that we know, far below what stops a machine of 8 GB.
    """

    row_bytes: int = 64 << 20  # of one row, as it stands in the file
    string_chars: int = 16 << 20  # of one text
    depth: int = 100  # of lists and objects within each other; the row itself is the first
    columns: int = 4_096  # of a row
    file_rows: int = 1_000_000_000
    unpacked_bytes: int = 256 << 30  # of what a .gz or .zst holds
    unpacking_ratio: int = 250  # of unpacked to packed bytes; text packs 3 to 30 times
    ratio_from_bytes: int = 64 << 20  # unpacked, below which the ratio does not matter
    held_bytes: int = 1 << 30  # of what must be in memory as a whole: a sheet, a packed Parquet file


def oversize(row: Mapping[str, object], limits: Limits) -> str | None:
    """Return what is too large in a row, or None."""
    if len(row) > limits.columns:
        return f"{len(row)} fields, more than the {limits.columns} that are read"
    waiting: list[tuple[object, int]] = [(row, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, (str, bytes)):
            if len(value) > limits.string_chars:
                return f"a text of {len(value)} characters, more than the {limits.string_chars} that are read"
            continue
        if not isinstance(value, (Mapping, Sequence)):
            continue
        if depth > limits.depth:
            return f"nested more than {limits.depth} deep"
        waiting += [(inner, depth + 1) for inner in (value.values() if isinstance(value, Mapping) else value)]
    return None
