"""The schema and the mark of the last stored commit: what tells whether the file is whole and ours.

A store that lacks rows which its mark tells of is not opened at all; here is what can still be asked of others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsodata.acknowledged import mark_path, read_mark
from tsodata.checks.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tsodata.checks.check import Row
    from tsodata.store import Store


def changed_schema(store: Store, _: int) -> Iterator[Row]:
    """Yield the tables, columns, views and macros that are not as the shipped schema files make them."""
    with store.reader() as reader:
        found = {tuple(row) for row in reader.rows("store/schema_objects")}
    with store.in_memory() as reader:
        expected = {tuple(row) for row in reader.rows("store/schema_objects")}
    for kind, name, _text in sorted(expected - found):
        yield {"id": name, "kind": kind, "problem": "missing or changed"}
    for kind, name, _text in sorted(found - expected):
        if (kind, name) not in {row[:2] for row in expected}:
            yield {"id": name, "kind": kind, "problem": "of no schema file"}


def unmarked_store(store: Store, _: int) -> Iterator[Row]:
    """Yield the mark's path where there is none."""
    if read_mark(store.path) is None:
        yield {"id": str(mark_path(store.path))}


MARK_CHECKS = (
    Check(
        "changed-schema",
        "Which tables, views and macros are not as the schema files make them?",
        "a view that was replaced or a table that was altered by hand answers every question wrongly",
        "violation",
        "one per object, by name",
        changed_schema,
    ),
    Check(
        "unmarked-store",
        "Does the file beside the store that tells of its last stored commit lack?",
        "a write-ahead log that is cut or lost opens at an earlier commit and says nothing",
        "notice",
        "one, or none; the next commit writes it anew",
        unmarked_store,
    ),
)
