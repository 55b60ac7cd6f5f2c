"""A stronger judge stands in for people: its stored scores, appended as corrections under its name (Sec. 3.2)."""

from __future__ import annotations

from typing import NamedTuple

from tsodata.errors import UnknownNameError
from tsodata.provenance import Run
from tsodata.records import Correction, Record
from tsodata.store import Store

_STORED = ("prompt_key", "response_key", "rubric_key", "dimension", "value", "reason", "made_at")


class StandingIn(NamedTuple):
    """How many corrections a judge's scores gave: those that are new, and those that were there."""

    judge: str
    n_added: int
    n_present: int


def correct_by_judge(store: Store, judge: str, *, run: Run, rubric: str | None = None) -> StandingIn:
    """Append a judge's scores as corrections: the mean over its samples, its first words as the reason.

    Raises:
        UnknownNameError: the judge has given no score, by this rubric where one is named.
    """
    with store.transaction(run) as transaction:
        rows = transaction.rows("corrections/of_judge", judge=judge, rubric=rubric)
        if not rows:
            where = f" by rubric {rubric!r}" if rubric else ""
            raise UnknownNameError(f"no scores of judge {judge!r}{where}; tso-data query judges lists who has judged")
        records: list[Record] = [
            Correction(**dict(zip(_STORED, row, strict=True)), author=judge, author_kind="model") for row in rows
        ]
        added = transaction.append({Correction: records})["corrections"]
    return StandingIn(judge, len(added), len(records) - len(added))
