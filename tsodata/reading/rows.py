"""A row as parsed, or the reason why it is none."""

from __future__ import annotations

from typing import Any, NamedTuple


class RawRow(NamedTuple):
    """One row as parsed, from 1: `line` counts the lines of JSON lines, the rows of a sheet with its header, else rows.

    `problem` says why there is no value.
    """

    line: int
    value: dict[str, Any] | None
    problem: str | None = None
