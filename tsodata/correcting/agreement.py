"""How far judges and people agree: on scores, on which answers win, on which of two is better, and among themselves.

The figures are those of docs/correction.md. Everything is read from one reader, so all are of one state of the store.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tsodata.correcting.figures import DISTANCES, VERDICTS, Angle, Scene
from tsodata.errors import UnknownNameError, UsageError
from tsodata.recipes import SEED
from tsodata.stats.figures import Figure
from tsodata.stats.intervals import CONFIDENCE
from tsodata.stats.listing import Listing
from tsodata.store import Reader, Store

PEOPLE = "people"
GROUPINGS = ("dimension", "cell")
_WHO = ("judge", "rubric", "against", "against_rubric")


@dataclass(frozen=True, slots=True)
class AgreementQuestion:
    """Which judges, none for all, against people or another judge, and by what to group."""

    judges: tuple[str, ...] = ()
    against: str = PEOPLE
    rubric: str | None = None
    by: tuple[str, ...] = ()
    seed: int = SEED

    @property
    def values(self) -> dict[str, object]:
        """Return the values of the listings' parameters."""
        other = None if self.against == PEOPLE else self.against
        return {"judges": list(self.judges), "rubric": self.rubric, "against": other}


@dataclass(frozen=True, slots=True)
class AgreementReport:
    """Figures of agreement, each with its interval and the SELECT that lists its rows."""

    judges: tuple[str, ...]
    against: str
    seed: int
    figures: tuple[Figure, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "judges": list(self.judges),
            "against": self.against,
            "seed": self.seed,
            "confidence": CONFIDENCE,
            "figures": [figure.to_dict() for figure in self.figures],
        }


def measure_agreement(store: Store, question: AgreementQuestion | None = None) -> AgreementReport:
    """Return how far judges agree with people, or with another judge, and people among themselves.

    Raises:
        UnknownNameError: a judge, a rubric or a grouping of that name is not there.
        UsageError: nobody else has looked at what the judges have.
    """
    question = question or AgreementQuestion()
    check_grouping(question)
    with store.reader() as reader:
        check_judges(reader, question)
        scene = Scene.of(reader, question.seed)
        figures = tuple(_all_figures(scene, question))
    if not figures:
        raise nothing_common(question)
    return AgreementReport(question.judges, question.against, question.seed, figures)


def check_grouping(question: AgreementQuestion) -> None:
    """Raise UnknownNameError where figures cannot be grouped as asked."""
    for name in question.by:
        if name not in GROUPINGS:
            raise UnknownNameError(f"--by {name}: figures are grouped by {' and '.join(GROUPINGS)}")


def check_judges(reader: Reader, question: AgreementQuestion) -> None:
    """Raise UnknownNameError where a judge has said nothing."""
    known = {str(row[0]) for row in reader.rows("agreement/raters")}
    for name in (*question.judges, *([] if question.against == PEOPLE else [question.against])):
        if name not in known:
            raise UnknownNameError(
                f"nobody called {name!r} has judged; there are: {', '.join(sorted(known)) or 'none'}"
            )


def nothing_common(question: AgreementQuestion) -> UsageError:
    """Return the error that tells that there is nothing to compare."""
    who = " and ".join(question.judges) or "any judge"
    what = f" by rubric {question.rubric!r}" if question.rubric else ""
    return UsageError(
        f"{question.against} and {who}{what} have looked at no answer in common; get people's scores with "
        "tso-data export-corrections, or name another judge with --against"
    )


def score_angle(question: AgreementQuestion, section: str = "scores") -> Angle:
    """Return the comparison of scores, or of wins, kept as `compared`."""
    by = (*_WHO, *question.by)
    return Angle(section, "compared", Listing(f"agreement/{section}", question.values), by)


def pair_angle(angle: Angle, question: AgreementQuestion) -> Angle:
    """Return the comparison of pairs of answers beside that of scores; a pair is of two cells, so not by cell."""
    under = (*angle.listing.under, (angle.table, angle.listing))
    by = tuple(name for name in angle.by if name != "cell")
    return Angle(angle.section, "answer_pairs", Listing("compared/answer_pairs", question.values, under), by)


def _all_figures(scene: Scene, question: AgreementQuestion) -> Iterator[Figure]:
    yield from _score_figures(scene, question, "scores")
    if question.against == PEOPLE:
        people = Listing("agreement/people", question.values)
        by = ("rubric", *question.by)
        yield from _distances(scene, Angle("people among themselves", "listed_people", people, by, has_order=False))
    yield from _preference_figures(scene, question)
    yield from _score_figures(scene, question, "wins")


def _score_figures(scene: Scene, question: AgreementQuestion, section: str) -> Iterator[Figure]:
    angle = score_angle(question, section)
    yield from _distances(scene, angle)
    pairs = pair_angle(angle, question)
    if scene.sizes:
        scene.keep(pairs.table, pairs.listing)
        scene.replicate_mean(pairs, "pairs")
        yield from scene.figures(pairs, ["pairs"])


def _preference_figures(scene: Scene, question: AgreementQuestion) -> Iterator[Figure]:
    columns = ("verdict", "other_verdict")
    both = [Angle("preferences", "verdicts", Listing("agreement/preferences", question.values), _WHO, columns)]
    if question.against == PEOPLE:
        listing = Listing("agreement/people_preferences", question.values)
        section = "people among themselves, preferences"
        both.append(Angle(section, "people_verdicts", listing, ("rubric",), columns, has_order=False))
    for angle in both:
        scene.keep(angle.table, angle.listing)
        for figure in ("verdicts", "sides"):
            scene.replicate_mean(angle, figure)
            yield from scene.figures(angle, [figure])
        scene.replicate_distances(angle)
        yield from scene.figures(angle, list(VERDICTS))


def _distances(scene: Scene, angle: Angle) -> list[Figure]:
    scene.keep(angle.table, angle.listing)
    scene.replicate_distances(angle)
    return scene.figures(angle, list(DISTANCES))
