"""From rows to figures: a measure names a listing and a column of it, and how its values become one number.

The figure is computed over the very file that it shows, so the two cannot differ. Intervals are a bootstrap over
prompts, and exact for a share with one row per prompt, or where all rows are alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tsodata import queries
from tsodata.stats.figures import Figure, Threshold
from tsodata.stats.intervals import BOOTSTRAP, Interval, exact_interval
from tsodata.stats.listing import Listing, blocks_text, named_subject, rows_text
from tsodata.store import Reader

N_REPLICATES = 1000
_QUANTILES = {"median": 0.5, "q10": 0.1, "q90": 0.9}
_KEPT = ("shape", "pair_scores", "pair_lengths", "pair_similarity")  # small, and read by several measures


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure to read from a column of a listing, for each combination of the columns `by`.

    kind       count       rows with a value
               prompts     prompts with a value
               mean        with a bootstrap interval
               share       of a column of true and false, with an interval
               portion     a share of all there is, without an interval
               median, q10, q90
    """

    name: str
    listing: str
    column: str
    kind: str = "mean"
    by: tuple[str, ...] = ()
    unit: str = ""
    threshold: Threshold | None = None


class Found(NamedTuple):
    """The value of one subject, over n rows."""

    subject: str | tuple[str, ...]
    value: float
    n: int
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Where measures are taken: a reader with its draws kept, the section, the listings' values, a common subject."""

    reader: Reader
    section: str
    values: Mapping[str, object]
    subject: Mapping[str, str] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)

    def listing(self, name: str) -> Listing:
        """Return a listing with this scope's values."""
        return Listing(f"stats/{name}", self.values)

    def rows(self, name: str) -> str:
        """Return what stands for a listing's rows behind `from`; the small ones are kept as a table once."""
        if name not in _KEPT:
            return f"(\n{self.listing(name).body()}\n)"
        if name not in self.kept:
            path = f"stats/{name}"
            given = {parameter.name: self.values[parameter.name] for parameter in queries.load(path).parameters}
            self.reader.keep(name, path, append=False, **given)
            self.kept.add(name)
        return name

    def list_rows(self, measure: Measure, **others: str) -> None:
        """Define the view `listed` of a measure: subject, prompt_key, value, and other columns by name."""
        rows = self.rows(measure.listing)
        self.reader.define("listed", rows_text(rows, measure.column, measure.by, others=others))

    def figure(self, measure: Measure, value: float | None, n: int, **known: Any) -> Figure:
        """Return a figure of this scope, with the statement that lists its rows."""
        by = known.pop("by", {})
        return Figure(
            section=self.section,
            name=measure.name,
            unit=measure.unit,
            subject={**self.subject, **by},
            value=value,
            n=n,
            threshold=measure.threshold,
            sql=self.listing(measure.listing).statement(measure.column, by),
            **known,
        )


def keep_draws(reader: Reader, seed: int) -> None:
    """Keep the draws of the bootstrap for the length of the reader."""
    reader.keep("draws", "summaries/draws", append=False, n_replicates=N_REPLICATES, seed=seed)


def measure_all(scope: Scope, measures: Iterable[Measure]) -> list[Figure]:
    """Return the figures of several measures, in their order."""
    return [figure for measure in measures for figure in take(scope, measure)]


def take(scope: Scope, measure: Measure) -> list[Figure]:
    """Return the figures of a measure, one per subject; one without a value where nothing is listed at all."""
    found = find(scope, measure)
    if not found and not measure.by:
        return [scope.figure(measure, None, 0)]
    return [
        scope.figure(measure, one.value, one.n, interval=one.interval, by=named_subject(one.subject, measure.by))
        for one in found
    ]


def find(scope: Scope, measure: Measure) -> list[Found]:
    """Return the values of a measure, one per subject."""
    reader = scope.reader
    if measure.kind in (*_QUANTILES, "prompts", "share"):
        scope.list_rows(measure)
    if measure.kind in _QUANTILES:
        rows = reader.rows("summaries/quantiles", q=_QUANTILES[measure.kind])
        return [Found(_plain(subject), value, n) for subject, n, value in rows]
    if measure.kind == "prompts":
        rows = reader.rows("summaries/prompts")
        return [Found(_plain(subject), float(n_prompts), n) for subject, n, n_prompts in rows]
    reader.keep_text("blocks", blocks_text(scope.rows(measure.listing), measure.column, measure.by))
    means = [(_plain(subject), int(n), float(value)) for subject, n, value in reader.rows("summaries/means")]
    if measure.kind == "count":
        return [Found(subject, float(n), n) for subject, n, _ in means]
    if measure.kind == "portion":
        return [Found(subject, value, n) for subject, n, value in means]
    return _with_intervals(reader, means, is_share=measure.kind == "share")


def _plain(subject: str | list[str]) -> str | tuple[str, ...]:
    return subject if isinstance(subject, str) else tuple(subject)


def _with_intervals(reader: Reader, means: Sequence[tuple[Any, int, float]], *, is_share: bool) -> list[Found]:
    n_prompts = {_plain(subject): int(n) for subject, _, n in reader.rows("summaries/prompts")} if is_share else {}
    exact = {subject for subject, n, value in means if is_share and (n == n_prompts[subject] or value in (0, 1))}
    intervals = {subject: exact_interval(value, n_prompts[subject]) for subject, _, value in means if subject in exact}
    if len(exact) < len(means):
        for subject, low, high in reader.rows("summaries/intervals"):
            intervals.setdefault(_plain(subject), Interval(low, high, BOOTSTRAP))
    return [Found(subject, value, n, intervals.get(subject)) for subject, n, value in means]
