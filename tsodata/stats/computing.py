"""The statistics of a store and its builds: chooses scores, builds and a base, and takes the figures of each section.

Filters nothing: recipes do. Everything is read from one reader, so all figures are of one state of the store.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tsodata.coverage import load_matrix
from tsodata.errors import UnknownNameError, UsageError
from tsodata.matrix import ModelMatrix
from tsodata.provenance import stream_seed
from tsodata.recipes import SEED, ScoreChoice
from tsodata.stats import sections
from tsodata.stats.figures import Figure, Report, Threshold
from tsodata.stats.intervals import BOOTSTRAP, Interval
from tsodata.stats.listing import SCORES_TABLE, named_subject
from tsodata.stats.measuring import Measure, Scope, find, keep_draws, measure_all, take
from tsodata.stats.overlap import read_texts
from tsodata.store import Reader, Store


@dataclass(frozen=True, slots=True)
class Question:
    """What to look at. Empty and None mean: all sections, all builds, the only judge and rubric, the builds' base."""

    build: str | None = None
    sections: tuple[str, ...] = ()
    judge: str | None = None
    rubric: str | None = None
    base: str | None = None
    versions: tuple[str, ...] = ()
    against: tuple[Path, ...] = ()
    against_fields: tuple[str, ...] = ()
    seed: int = SEED


@dataclass(frozen=True, slots=True)
class BuildScores:
    """A build of pairs, its base, and which scores it went by."""

    name: str
    base: str
    scores: ScoreChoice
    calibrations: tuple[str, ...] = ()


def compute_stats(store: Store, question: Question | None = None) -> Report:
    """Return the figures of a store.

    Raises:
        UnknownNameError: no build, judge, rubric, base or section of that name.
        UsageError: a section was asked for by name and cannot be told.
    """
    with store.reader() as reader:
        return Statistics.of(reader, question or Question()).report()


@dataclass(frozen=True, slots=True)
class Statistics:
    """A reader with its bootstrap drawn and all choices made; `untold` says why there are no scores to choose."""

    reader: Reader
    question: Question
    builds: tuple[BuildScores, ...]
    scores: ScoreChoice
    untold: str | None
    matrix: ModelMatrix | None
    kept: list[Mapping[str, object]] = field(default_factory=list)  # whose scores the table of answers' scores holds

    @classmethod
    def of(cls, reader: Reader, question: Question) -> Statistics:
        """Choose builds, scores and base as a question asks, and keep what every section needs."""
        for name in question.sections:
            if name not in sections.SECTIONS:
                raise UnknownNameError(f"no section {name!r}; known are {', '.join(sections.SECTIONS)}")
        builds = _builds(reader, question.build)
        scores, untold = _choose_scores(reader, question, builds)
        bases = {question.base} if question.base else {build.base for build in builds if build.base}
        base = next(iter(bases)) if len(bases) == 1 else None
        matrix = load_matrix(reader, base, question.versions) if base else None
        keep_draws(reader, stream_seed(question.seed, "bootstrap"))
        return cls(reader, question, builds, scores, untold, matrix)

    def report(self) -> Report:
        """Return the figures of the sections asked for.

        Raises:
            UsageError: a section was asked for by name and cannot be told.
        """
        figures: list[Figure] = []
        notes: list[str] = []
        for name in self.question.sections or sections.SECTIONS:
            found, note = self._section(name)
            if note and self.question.sections:
                raise UsageError(note)
            figures += found
            notes += [note] if note else []
        return Report(
            builds=tuple(build.name for build in self.builds),
            judge=self.scores.judge,
            rubric=self.scores.rubric,
            base=self.matrix.base.label if self.matrix else None,
            seed=self.question.seed,
            figures=tuple(figures),
            notes=tuple(notes),
        )

    def scope(self, section: str, build: BuildScores | None = None) -> Scope:
        """Return the scope of a section, the scores of answers kept: the chosen ones, or those a build went by."""
        scores = _score_values(build.scores, build.calibrations) if build else _score_values(self.scores)
        values = {**scores, "n_sample": sections.N_SIMILARITY}
        values["seed"] = stream_seed(self.question.seed, "similarity")
        if section in ("shape", "wins", "margins", "quality"):
            self._keep_scores(scores)
        if build:
            return Scope(self.reader, section, {**values, "build": build.name}, {"build": build.name})
        return Scope(self.reader, section, values)

    def _keep_scores(self, scores: Mapping[str, object]) -> None:
        if self.kept[-1:] != [scores]:
            self.reader.keep(SCORES_TABLE, f"stats/{SCORES_TABLE}", append=False, **scores)
            self.kept[:] = [scores]

    def _section(self, name: str) -> tuple[list[Figure], str | None]:
        if name in sections.ON_BUILDS:
            return self._of_builds(name)
        if name == "shape":
            return ([], f"shape: {self.untold}") if self.untold else (self._shape(), None)
        if name == "wins":
            return self._wins()
        if name == "judges":
            return self._judges(), None
        if name == "duplicates":
            return self._duplicates(), None
        return measure_all(self.scope(name), sections.CELLS), None

    def _of_builds(self, name: str) -> tuple[list[Figure], str | None]:
        if not self.builds:
            return [], f"{name}: the store has no build of pairs; make one with: tso-data build-pairs NAME --base CELL"
        measures: dict[str, tuple[Measure, ...]] = {
            "margins": sections.MARGINS,
            "quality": sections.QUALITY,
            "length": sections.LENGTH,
            "similarity": sections.SIMILARITY,
        }
        return [
            figure for build in self.builds for figure in measure_all(self.scope(name, build), measures[name])
        ], None

    def _shape(self) -> list[Figure]:
        scope = self.scope("shape")
        figures = measure_all(scope, sections.SHAPE)
        (off,) = take(scope, sections.OFF)
        (near,) = take(scope, sections.NEAR)
        if off.value is not None:
            paper = Threshold(
                sections.APPENDIX, high=off.value, within="lower, as in the paper", without="unlike the paper"
            )
            near = replace(near, threshold=paper)
        return [*figures, near, off]

    def _judges(self) -> list[Figure]:
        scope = self.scope("judges")
        return [*_reliability(scope), *_correlations(scope), *measure_all(scope, sections.JUDGES)]

    def _wins(self) -> tuple[list[Figure], str | None]:
        scope = self.scope("wins")
        figures = [] if self.untold else _both_ways(scope, sections.WINS_BY_SCORE)
        figures += _both_ways(scope, sections.WINS_BY_PREFERENCE)
        if not figures:
            return [], f"wins: {self.untold or 'no two sources have scores or preferences on one prompt'}"
        return [self._with_role(figure) for figure in figures], None

    def _with_role(self, figure: Figure) -> Figure:
        if self.matrix is None:
            return figure
        rejected = {source.label for source in self.matrix.rejected}
        chosen = {source.label for source in self.matrix.chosen}
        is_declared = figure.subject["source"] in rejected and figure.subject["against"] in chosen
        return replace(figure, threshold=sections.ROLES) if is_declared else figure

    def _duplicates(self) -> list[Figure]:
        figures = measure_all(self.scope("duplicates"), sections.DUPLICATES)
        for path in self.question.against:
            texts = read_texts(path, self.question.against_fields)
            found = self.reader.rows("stats/overlap", texts=texts)
            values = {
                "in_prompt": [prompt for prompt, in_prompt, _ in found if in_prompt],
                "in_answers": [prompt for prompt, _, in_answers in found if in_answers],
            }
            scope = Scope(self.reader, "duplicates", values, {"file": path.name})
            figures += measure_all(scope, sections.OVERLAPS)
        return figures


def _score_values(scores: ScoreChoice, calibrations: Sequence[str] = ()) -> dict[str, object]:
    return {
        "judge": scores.judge,
        "rubric": scores.rubric,
        "dimensions": list(scores.dimensions),
        "people_first": scores.people_first,
        "calibrations": list(calibrations),
    }


def _builds(reader: Reader, name: str | None) -> tuple[BuildScores, ...]:
    rows = reader.rows("stats/builds", build=name)
    if name is not None and not rows:
        known = ", ".join(str(row[0]) for row in reader.rows("stats/builds", build=None)) or "none yet"
        raise UnknownNameError(f"no build of pairs {name!r}; the store has: {known}")
    return tuple(
        BuildScores(str(build), str(base), _recipe_scores(json.loads(recipe), judge, rubric), tuple(maps or ()))
        for build, base, judge, rubric, recipe, maps in rows
    )


def _recipe_scores(recipe: Mapping[str, Any], judge: str | None, rubric: str | None) -> ScoreChoice:
    asked = recipe.get("scores", {})
    return ScoreChoice(judge, rubric, tuple(asked.get("dimensions", ())), asked.get("people_first", True))


def _choose_scores(reader: Reader, question: Question, builds: Sequence[BuildScores]) -> tuple[ScoreChoice, str | None]:
    if question.build and not (question.judge or question.rubric) and builds[0].scores.judge:
        return builds[0].scores, None
    found = [(str(judge), str(rubric)) for judge, rubric in reader.rows("stats/score_choices")]
    matching = [
        (judge, rubric)
        for judge, rubric in found
        if question.judge in (None, judge) and question.rubric in (None, rubric)
    ]
    if len(matching) == 1:
        return ScoreChoice(*matching[0]), None
    known = "; ".join(f"{judge} by {rubric}" for judge, rubric in found[:6]) or "nobody"
    if not matching and (question.judge or question.rubric):
        asked = f"judge {question.judge or 'any'} by rubric {question.rubric or 'any'}"
        raise UnknownNameError(f"no scores of {asked}; the store has scores of {known}")
    if not found:
        return ScoreChoice(), "no answer has a score"
    return ScoreChoice(), f"answers have scores of {known}: choose with --judge and --rubric"


def _both_ways(scope: Scope, measure: Measure) -> list[Figure]:
    """Return each win with the loss that it is from the other side: the rows are the same."""
    figures = []
    losses = replace(measure, column="loss")
    for found in find(scope, measure):
        by = named_subject(found.subject, measure.by)
        figures.append(scope.figure(measure, found.value, found.n, by=by, interval=found.interval))
        interval = found.interval and Interval(1 - found.interval.high, 1 - found.interval.low, BOOTSTRAP)
        lost = scope.figure(losses, 1 - found.value, found.n, by=by, interval=interval)
        figures.append(replace(lost, subject={**lost.subject, "source": by["against"], "against": by["source"]}))
    return sorted(figures, key=lambda figure: list(figure.subject.values()))


def _reliability(scope: Scope) -> list[Figure]:
    measure = sections.RELIABILITY
    scope.list_rows(measure, n_scores="n_scores", variance="variance")
    figures = []
    for subject, n, *numbers, n_blocks in scope.reader.rows("summaries/reliability"):
        by = named_subject(subject, measure.by)
        for position, (name, unit, threshold) in enumerate(
            (
                ("noise: sd within answers", "score", None),
                ("sd between answers", "score", None),
                ("ICC of one score", "correlation", sections.RELIABLE),
            )
        ):
            value, low, high = numbers[3 * position : 3 * position + 3]
            named = replace(measure, name=name, unit=unit, threshold=threshold)
            figures.append(scope.figure(named, value, int(n), by=by, interval=_interval(low, high, n_blocks)))
    return figures


def _correlations(scope: Scope) -> list[Figure]:
    measure = sections.CORRELATION
    scope.list_rows(measure, other="other_score")
    return [
        scope.figure(
            measure, value, int(n), by=named_subject(subject, measure.by), interval=_interval(low, high, n_blocks)
        )
        for subject, n, value, low, high, n_blocks in scope.reader.rows("summaries/correlations")
    ]


def _interval(low: float | None, high: float | None, n_blocks: int) -> Interval | None:
    if low is None or high is None or n_blocks < 2:
        return None
    return Interval(low, high, BOOTSTRAP)
