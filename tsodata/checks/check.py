"""A check and what it found, and the checks that are one SELECT each: `sql/checks/*.sql`.

The header of such a file has two lines more than others: the fault it guards against, and its level. A violation
means that the store, or what was made from it, must not be used as it is; a notice is worth knowing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tsodata import queries
from tsodata.errors import QueryError

if TYPE_CHECKING:
    from tsodata.store import Store

LEVELS = ("violation", "notice")
BATCH_ROWS = 10_000
Row = Mapping[str, Any]
_HEADER = re.compile(r"(?s)(.*?)\nfault:(.*?)\nlevel:(.*)")


@dataclass(frozen=True, slots=True)
class Check:
    """One question whose answer must be nobody; `find` yields the rows that break it, from a commit on."""

    name: str
    question: str
    fault: str
    level: str
    rows: str
    find: Callable[[Store, int], Iterator[Row]]


@dataclass(slots=True)
class Finding:
    """What a check found: how many rows, and the first of them, or all where they were asked for."""

    check: Check
    n_rows: int = 0
    first_rows: list[Row] = field(default_factory=list)


def sql_checks() -> list[Check]:
    """Return the checks that are SQL files, by name.

    Raises:
        QueryError: the header of a file lacks the fault or the level.
    """
    return [_read(name) for name in queries.names("checks")]


def _read(name: str) -> Check:
    query = queries.load(f"checks/{name}")
    match = _HEADER.fullmatch(query.question)
    if not match or match[3].strip() not in LEVELS:
        raise QueryError(f"checks/{name}.sql: the header needs fault: and level: {' or '.join(LEVELS)}")
    question, fault, level = (" ".join(part.split()) for part in match.groups())

    def find(store: Store, first_seq: int) -> Iterator[Row]:
        with store.reader() as reader:
            for batch in reader.batches(f"checks/{name}", rows=BATCH_ROWS, first_seq=first_seq):
                yield from batch.to_pylist()

    return Check(name, question, fault, level, query.rows, find)
