"""Stored words read again by another parser: what would change, down to the pairs of builds, without asking anybody.

Nothing is overwritten: a reading is appended, and the one by the parser of the highest version counts. Builds keep
their pairs; what is told is which of them would have been drawn otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tsodata.errors import UsageError
from tsodata.judging.parsers import PREFERENCE, Asked, find_parser, parser_version
from tsodata.judging.reading import Side, read_verdicts
from tsodata.judging.redrawing import BuildChange, changed_builds
from tsodata.provenance import Run, format_id
from tsodata.records import Judgement, Preference, Record, Score
from tsodata.store import Store

_SLICE = 2_000
N_EXAMPLES = 20


class Change(NamedTuple):
    """One reading that would count, and what counts now; a reason stands where there is no number."""

    response_id: str
    judgement_id: str
    dimension: str
    before: float | str | None
    after: float | str | None


@dataclass(slots=True)
class Reparse:
    """What reading again gives. `n_words` = `n_same` + `n_changed` + `n_outranked`, counted in readings.

    Outranked readings are by a parser below the one that counts now. `kinds` counts changes as 'no_score -> number'.
    """

    parser: str
    n_judgements: int = 0
    n_readings: int = 0
    n_same: int = 0
    n_changed: int = 0
    n_outranked: int = 0
    n_added: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    changes: list[Change] = field(default_factory=list)
    builds: tuple[BuildChange, ...] = ()


def reparse(
    store: Store,
    parser: str,
    *,
    run: Run | None,
    rubric: str | None = None,
    judge: str | None = None,
) -> Reparse:
    """Read the stored words that a parser of the same family has read (or those of a rubric) by this one.

    Without a run nothing is stored, and only told.

    Raises:
        UnknownNameError: there is no such parser.
        UsageError: there are no words to be read.
    """
    is_pairwise = PREFERENCE in find_parser(parser)("", Asked((0.0, 1.0)))
    family = f"{parser.rpartition('/')[0]}/"
    found = Reparse(parser)
    moved: list[Score] = []
    with store.reader() as reader:
        rows = reader.rows("judging/words", family=family, rubric=rubric, judge=judge, is_pairwise=is_pairwise)
    keys = [int(key) for (key,) in rows]
    if not keys:
        what = f"of rubric {rubric}" if rubric else f"read by {family}… so far; name --rubric for others"
        raise UsageError(f"no stored words {what}")
    for start in range(0, len(keys), _SLICE):
        with store.reader() as reader:
            said = reader.arrow("judging/said", judgements=keys[start : start + _SLICE]).to_pylist()
        records = [record for row in said for record in _read_again(row, found)]
        moved += [record for record in records if isinstance(record, Score)]
        if run:
            _append(store, run, records, found)
    if not run and found.n_changed and moved:
        with store.reader() as reader:
            found.builds = changed_builds(reader, moved)
    return found


def _append(store: Store, run: Run, records: Sequence[Record], found: Reparse) -> None:
    by_type: dict[type[Record], list[Record]] = {}
    for record in records:
        by_type.setdefault(type(record), []).append(record)
    with store.transaction(run) as transaction:
        found.n_added += sum(map(len, transaction.append(by_type).values()))


def _read_again(row: Mapping[str, Any], found: Reparse) -> Iterator[Score | Preference]:
    judgement = Judgement(
        prompt_key=row["prompt_key"],
        response_key=row["response_key"],
        other_key=row["other_key"],
        judge=row["judge"],
        judge_kind=row["judge_kind"],
        rubric_key=row["rubric_key"],
        sample_index=row["sample_index"],
        raw=row["raw"],
        settings_key=row["settings_key"],
        external_id=row["external_id"],
    )
    counted = {one["dimension"]: one for one in row["counted"]}
    dimensions = tuple(name for name in counted if name is not None)
    asked = Asked((row["scale_min"], row["scale_max"]), dimensions, is_cut=row["is_cut"])
    others = [] if row["other_key"] is None else [Side(row["other_key"], 0)]
    sides = [Side(row["response_key"], row["source_key"]), *others]
    found.n_judgements += 1
    for record in read_verdicts(judgement, sides, parser=found.parser, asked=asked):
        if isinstance(record, Score):
            _compare(found, record, counted[record.dimension], value=record.value)
            yield record
        elif isinstance(record, Preference):
            _compare(found, record, counted[None], value=record.preference)
            yield record


def _compare(found: Reparse, record: Score | Preference, now: Mapping[str, Any], *, value: float | None) -> None:
    before = now["reason"] if now["value"] is None else now["value"]
    after = record.reason if value is None else value
    found.n_readings += 1
    if _rank(found.parser) < _rank(now["parser"]):
        found.n_outranked += 1
    elif before == after:
        found.n_same += 1
    else:
        found.n_changed += 1
        found.kinds[f"{_kind(before)} -> {_kind(after)}"] += 1
        response_key = record.response_key if isinstance(record, Score) else record.response_a_key
        ids = (format_id("response", response_key), format_id("judgement", record.judgement_key or 0))
        dimension = record.dimension if isinstance(record, Score) else PREFERENCE
        found.changes.append(Change(*ids, dimension, before, after))


def _rank(parser: str) -> tuple[int, str]:
    return parser_version(parser), parser


def _kind(read: object) -> str:
    return read if isinstance(read, str) else "number"
