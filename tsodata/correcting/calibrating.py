"""A judge's scores read as people's: one rising map per dimension, fitted on some prompts, tried on the others, stored.

Recipes with `calibrated = true` under [scores] draw by the latest maps that their snapshot holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

from tsodata.correcting.agreement import PEOPLE, AgreementQuestion, check_judges, nothing_common, score_angle
from tsodata.correcting.choosing import choose_judge
from tsodata.correcting.isotonic import RisingMap, fit_rising
from tsodata.errors import UsageError
from tsodata.provenance import Run, content_key, stream_seed, utc_now
from tsodata.recipes import SEED
from tsodata.records import Record
from tsodata.store import Reader, Store

LEAST_ITEMS = 10  # ours: a map of fewer answers follows their chance


@dataclass(frozen=True, slots=True)
class Calibration(Record):
    """A rising map from a judge's scores to people's, by rubric and dimension."""

    table: ClassVar[str] = "calibrations"
    calibration_key: int = field(init=False)
    judge: str
    rubric: str
    dimension: str
    judged: tuple[float, ...]
    corrected: tuple[float, ...]
    n_items: int
    n_prompts: int
    share: float
    seed: int
    fitted_at: datetime

    def __post_init__(self) -> None:
        what = (self.judge, self.rubric, self.dimension, self.judged, self.corrected)
        how = (self.n_items, self.n_prompts, float(self.share), self.seed, self.fitted_at.isoformat())
        object.__setattr__(self, "calibration_key", content_key("calibration", what, how))


@dataclass(frozen=True, slots=True)
class CalibrationQuestion:
    """Whose scores by which rubric are mapped onto whose, and the share of prompts to fit on."""

    judge: str | None = None
    rubric: str | None = None
    against: str = PEOPLE
    share: float = 0.7  # ours
    seed: int = SEED


class Tried(NamedTuple):
    """How far a judge is from people on the prompts that were not fitted on, as it is and through the map."""

    n: int
    bias: float | None
    mae: float | None
    bias_calibrated: float | None
    mae_calibrated: float | None


class FittedMap(NamedTuple):
    """What came of one dimension; without knots where there was too little to fit. `is_new` unless it is in force."""

    dimension: str
    n_items: int
    n_prompts: int
    judged: tuple[float, ...]
    corrected: tuple[float, ...]
    tried: Tried
    is_new: bool


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """The maps of a judge's scores by a rubric, by dimension."""

    judge: str
    rubric: str
    against: str
    maps: tuple[FittedMap, ...]


class _Point(NamedTuple):
    """A row of sql/compared/to_fit.sql."""

    dimension: str
    score: float
    other: float
    prompt_id: str
    is_to_fit: bool


def calibrate(store: Store, question: CalibrationQuestion, *, run: Run) -> CalibrationReport:
    """Fit a map per dimension and store those that differ from the ones in force.

    Raises:
        UnknownNameError: there is no such judge or rubric.
        UsageError: it is not clear whose scores, nobody else has looked at them, or all dimensions have too little.
    """
    if not 0 < question.share <= 1:
        raise UsageError(f"--share {question.share:g}: a share above 0 and up to 1")
    with store.reader() as reader:
        judge, rubric = choose_judge(reader, question.judge, question.rubric)
        points = _points(reader, question, judge=judge, rubric=rubric)
        in_force = {
            str(name): (tuple(xs), tuple(ys))
            for name, xs, ys in reader.rows("corrections/latest_map", judge=judge, rubric=rubric)
        }
    maps = tuple(_fitted(points, in_force))
    if not any(one.judged for one in maps):
        most = max(one.n_items for one in maps)
        raise UsageError(f"{most} answers to fit on in a dimension at most; at least {LEAST_ITEMS} are needed")
    records = [_record(one, question, judge=judge, rubric=rubric) for one in maps if one.is_new]
    if records:
        with store.transaction(run) as transaction:
            transaction.append({Calibration: list[Record](records)})
    return CalibrationReport(judge, rubric, question.against, maps)


def _points(reader: Reader, question: CalibrationQuestion, *, judge: str, rubric: str) -> list[_Point]:
    asked = AgreementQuestion((judge,), question.against, rubric)
    check_judges(reader, asked)
    reader.keep_text("compared", score_angle(asked).listing.body())
    seed = stream_seed(question.seed, "calibration")
    points = [_Point(*row) for row in reader.rows("compared/to_fit", share=float(question.share), seed=seed)]
    if not points:
        raise nothing_common(asked)
    return points


def _fitted(points: Sequence[_Point], in_force: dict[str, tuple[Any, ...]]) -> Iterator[FittedMap]:
    for dimension in dict.fromkeys(point.dimension for point in points):
        to_fit = [point for point in points if point.dimension == dimension and point.is_to_fit]
        to_try = [point for point in points if point.dimension == dimension and not point.is_to_fit]
        enough = len(to_fit) >= LEAST_ITEMS
        found = fit_rising((point.score, point.other) for point in to_fit) if enough else RisingMap((), ())
        yield FittedMap(
            dimension=dimension,
            n_items=len(to_fit),
            n_prompts=len({point.prompt_id for point in to_fit}),
            judged=found.xs,
            corrected=found.ys,
            tried=_tried(to_try, found if enough else None),
            is_new=enough and in_force.get(dimension) != (found.xs, found.ys),
        )


def _tried(points: Sequence[_Point], found: RisingMap | None) -> Tried:
    plain = [point.score - point.other for point in points]
    mapped = [found(point.score) - point.other for point in points] if found else []
    return Tried(len(points), _mean(plain), _mean(map(abs, plain)), _mean(mapped), _mean(map(abs, mapped)))


def _mean(values: Iterable[float]) -> float | None:
    known = list(values)
    return sum(known) / len(known) if known else None


def _record(one: FittedMap, question: CalibrationQuestion, *, judge: str, rubric: str) -> Calibration:
    return Calibration(
        judge=judge,
        rubric=rubric,
        dimension=one.dimension,
        judged=one.judged,
        corrected=one.corrected,
        n_items=one.n_items,
        n_prompts=one.n_prompts,
        share=question.share,
        seed=question.seed,
        fitted_at=utc_now(),
    )
