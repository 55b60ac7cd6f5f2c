"""What a judge says of answers, as records: the words, and the score or the preference that a file reads in them.

Knows no format. A number that cannot be used is no number: it becomes NULL with the reason, never a stand-in value.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from tsodata.importers.context import fail, skip
from tsodata.records import Judgement, Preference, Record, Response, Rubric, Score

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOT_APPLICABLE = ("N/A", "NA")


class Judge(NamedTuple):
    """Who judges: a name, and whether it is a 'model' or a 'human'."""

    name: str
    kind: str = "model"


class Said(NamedTuple):
    """A judge's raw words on one answer or two, and their id in the file."""

    raw: str
    external_id: str | None = None


class Reading(NamedTuple):
    """A number, or None and the reason why there is none."""

    value: float | None
    reason: str | None = None


def read_number(value: object, name: str) -> Reading:
    """Return the number that a file holds as a number or as text, such as 4, "4" or "N/A"."""
    if value is None or value == "":
        return Reading(None, "no_score")
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        fail("wrong_type", f"field {name!r} is {type(value).__name__}, neither a number nor text")
    if isinstance(value, str) and value.strip().upper() in _NOT_APPLICABLE:
        return Reading(None, "not_applicable")
    if isinstance(value, str) and "_" in value:  # only Python takes 1_0 for ten
        return Reading(None, "not_parsed")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return Reading(None, "not_parsed")
    return Reading(number) if math.isfinite(number) else Reading(None, "not_parsed")


def score(
    answer: Response,
    read: Reading,
    *,
    judge: Judge,
    rubric: Rubric,
    dimension: str = "overall",
    said: Said | None = None,
) -> Iterator[Record]:
    """Yield a rubric, the judge's words where the file has them, and the score of one answer."""
    judgement = _judgement((answer, None), said, judge=judge, rubric=rubric) if said else None
    yield rubric
    if judgement:
        yield judgement
    yield Score(
        judgement_key=judgement.judgement_key if judgement else None,
        prompt_key=answer.prompt_key,
        source_key=answer.source_key,
        response_key=answer.response_key,
        judge=judge.name,
        judge_kind=judge.kind,
        rubric_key=rubric.rubric_key,
        dimension=dimension,
        value=read.value,
        reason=read.reason,
    )


def preference(
    sides: tuple[Response, Response],
    read: Reading,
    *,
    judge: Judge,
    rubric: Rubric,
    is_hard: bool,
    said: Said | None = None,
) -> Iterator[Record]:
    """Yield a rubric, the judge's words where the file has them, and how much the first of two answers is preferred."""
    first, second = sides
    if first.response_key == second.response_key:
        skip("equal_sides", "both sides are the same answer of the same source")
    judgement = _judgement(sides, said, judge=judge, rubric=rubric) if said else None
    yield rubric
    if judgement:
        yield judgement
    yield Preference(
        judgement_key=judgement.judgement_key if judgement else None,
        prompt_key=first.prompt_key,
        response_a_key=first.response_key,
        response_b_key=second.response_key,
        judge=judge.name,
        judge_kind=judge.kind,
        rubric_key=rubric.rubric_key,
        preference=read.value,
        is_hard=is_hard,
        reason=read.reason,
    )


def _judgement(shown: tuple[Response, Response | None], said: Said, *, judge: Judge, rubric: Rubric) -> Judgement:
    answer, other = shown
    return Judgement(
        prompt_key=answer.prompt_key,
        response_key=answer.response_key,
        other_key=other.response_key if other else None,
        judge=judge.name,
        judge_kind=judge.kind,
        rubric_key=rubric.rubric_key,
        raw=said.raw,
        external_id=said.external_id,
    )
