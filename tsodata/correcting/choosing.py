"""Which judge and which rubric are meant, where the store may have several."""

from __future__ import annotations

from typing import NamedTuple

from tsodata.errors import UnknownNameError, UsageError
from tsodata.store import Reader


class JudgeChoice(NamedTuple):
    """A judge and the name of the rubric that it scored by."""

    judge: str
    rubric: str


def choose_judge(reader: Reader, judge: str | None, rubric: str | None) -> JudgeChoice:
    """Return the judge and the rubric of these names; left out, they are the store's only ones.

    Raises:
        UnknownNameError: there are no such scores.
        UsageError: there are several.
    """
    found = [JudgeChoice(str(by), str(name)) for by, name in reader.rows("stats/score_choices")]
    matching = [one for one in found if judge in (None, one.judge) and rubric in (None, one.rubric)]
    if len(matching) == 1:
        return matching[0]
    known = "; ".join(f"{one.judge} by {one.rubric}" for one in (matching or found)[:6]) or "nobody"
    if matching:
        raise UsageError(f"answers have scores of {known}: choose with --judge and --rubric")
    asked = f"judge {judge or 'any'} by rubric {rubric or 'any'}"
    raise UnknownNameError(f"no scores of {asked}; the store has scores of {known}")
