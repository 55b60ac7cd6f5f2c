"""A row as parsed, or the reason why it is none, and the one value that is no plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Formula:
    """A cell of a sheet whose formula has no number and no date for a result.

    Sheets take an answer that begins with = for a formula; elsewhere its result is what was meant. Which of the two is
    the data only a format can tell, so nothing reads a formula as text unless it asks for its `text`.
    """

    text: str


class RawRow(NamedTuple):
    """One row as parsed, from 1: `line` counts the lines of JSON lines, the rows of a sheet with its header, else rows.

    `problem` says why there is no value.
    """

    line: int
    value: dict[str, Any] | None
    problem: str | None = None
