"""Keys against content: every record, recipe and build is made again from what is stored, and must be the same.

About 12 s of one core for a million records. Read in spans of commits, so that memory does not grow with the store and
writers get in between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from tsodata.checks.check import BATCH_ROWS, Check, Row
from tsodata.correcting.calibrating import Calibration
from tsodata.provenance import PREFIXES, content_key, format_id
from tsodata.records import (
    Correction,
    Judgement,
    Origin,
    Preference,
    Prompt,
    Record,
    Reference,
    Response,
    Rubric,
    Score,
    Settings,
    ShownResponse,
    Source,
    SourceName,
    VersionOrder,
    column_names,
)

if TYPE_CHECKING:
    from tsodata.store import Reader, Store

SPAN_ROWS = 100_000  # ours: about a second at one opening of the store
MAX_SEQ = 2**63 - 1
_Part = tuple[type[Record], tuple[int, int]]
RECORD_TYPES: tuple[type[Record], ...] = (
    Source,
    SourceName,
    VersionOrder,
    Prompt,
    Origin,
    Reference,
    Settings,
    Response,
    ShownResponse,
    Rubric,
    Judgement,
    Score,
    Correction,
    Calibration,
    Preference,
)


def changed_records(store: Store, first_seq: int) -> Iterator[Row]:
    """Yield the records whose key, or another value that follows from the content, is not that of the content."""
    with store.reader() as reader:
        spans = [(record_type, span) for record_type in RECORD_TYPES for span in _spans(reader, record_type, first_seq)]
    for some in _by_size(spans):
        with store.reader() as reader:
            for record_type, span in some:
                yield from _changed(reader, record_type, span)


def changed_builds(store: Store, first_seq: int) -> Iterator[Row]:
    """Yield the recipes and builds whose key is not that of their content and of the snapshot that they saw."""
    with store.reader() as reader:
        for recipe_key, body in reader.rows("builds/bodies", first_seq=first_seq):
            if content_key("recipe", body) != recipe_key:
                yield {"id": format_id("recipe", recipe_key), "table_name": "recipes", "problem": "recipe_key"}
        for name, build_key, snapshot_key, seq, body, resolved, seed in reader.rows(
            "builds/identities", first_seq=first_seq
        ):
            if reader.snapshot(seq).key != snapshot_key:
                yield {"id": name, "table_name": "builds", "problem": "snapshot_key"}
            if content_key("build", snapshot_key, body, resolved, seed) != build_key:
                yield {"id": name, "table_name": "builds", "problem": "build_key"}


def _spans(reader: Reader, record_type: type[Record], first_seq: int) -> Iterator[tuple[int, int]]:
    """Yield spans of commits without a gap, so that rows whose commit is not in the log are looked at too."""
    logged = reader.rows("store/spans", table=record_type.table, first_seq=first_seq, n_rows=SPAN_ROWS)
    starts = [first_seq, *(start for start, _ in logged[1:])]
    ends = [*(start - 1 for start in starts[1:]), MAX_SEQ]
    yield from zip(starts, ends, strict=True)


def _by_size(spans: list[_Part]) -> Iterator[list[_Part]]:
    """Yield the spans to read at one opening: the whole of small tables together, each span of a large one alone."""
    counts = Counter(record_type for record_type, _ in spans)
    yield [span for span in spans if counts[span[0]] == 1]
    yield from ([span] for span in spans if counts[span[0]] > 1)


def _changed(reader: Reader, record_type: type[Record], span: tuple[int, int]) -> Iterator[Row]:
    names = column_names(record_type)
    given = [f.name for f in fields(record_type) if f.init]  # type: ignore[arg-type]
    for batch in reader.stored(record_type, span, rows=BATCH_ROWS):
        columns = [_frozen(batch.column(name).to_pylist()) for name in names]
        by_name = dict(zip(names, columns, strict=True))
        for stored, content in zip(
            zip(*columns, strict=True), zip(*(by_name[name] for name in given), strict=True), strict=True
        ):
            if problem := _difference(record_type, names, stored, dict(zip(given, content, strict=True))):
                yield {
                    "id": _id_of(names[0], stored[0]),
                    "table_name": record_type.table,
                    "problem": problem,
                }


def _difference(
    record_type: type[Record], names: tuple[str, ...], stored: tuple[Any, ...], content: dict[str, Any]
) -> str | None:
    """Return the columns that are not those of the content, or why the content cannot be a record at all."""
    try:
        made = record_type(**content).values()
    except ValueError as error:
        return str(error)
    if made == stored:
        return None
    return ", ".join(name for name, is_, was in zip(names, made, stored, strict=True) if is_ != was)


def _frozen(values: list[Any]) -> list[Any]:
    return [tuple(value) if isinstance(value, list) else value for value in values]


def _id_of(key_name: str, key: int) -> str:
    noun = key_name.removesuffix("_key")
    return format_id(noun, key) if noun in PREFIXES else f"{key:016x}"


KEY_CHECKS = (
    Check(
        "changed-records",
        "Which records have a key that is not that of their content?",
        "a text or a score was changed in place: every id, build and export that speaks of it tells of something else",
        "violation",
        "one per record, by table",
        changed_records,
    ),
    Check(
        "changed-builds",
        "Which recipes and builds have a key that is not that of their content and snapshot?",
        "the build could not be made again from what the store says of it",
        "violation",
        "one per recipe or build and key",
        changed_builds,
    ),
)
