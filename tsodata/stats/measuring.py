"""From rows to figures: a measure names a listing and a column of it, and how its values become one number.

The figure is computed over the very statement that it shows, so the two cannot differ. Intervals are a bootstrap over
prompts, and exact for a share with one row per prompt, or where all rows are alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tsodata.stats.figures import Figure, Threshold
from tsodata.stats.intervals import BOOTSTRAP, Interval, exact_interval
from tsodata.stats.listing import Listing
from tsodata.store import Reader

N_REPLICATES = 1000
_SEPARATOR = "\x1f"
_QUANTILES = {"median": 0.5, "q10": 0.1, "q90": 0.9}


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

    subject: str
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

    def listing(self, path: str) -> Listing:
        """Return a listing with this scope's values."""
        return Listing(f"stats/{path}", self.values)

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
    reader.keep("draws", "summaries/draws", n_replicates=N_REPLICATES, seed=seed)


def measure_all(scope: Scope, measures: Iterable[Measure]) -> list[Figure]:
    """Return the figures of several measures, in their order."""
    return [figure for measure in measures for figure in take(scope, measure)]


def take(scope: Scope, measure: Measure) -> list[Figure]:
    """Return the figures of a measure, one per subject; one without a value where nothing is listed at all."""
    list_rows(scope, measure)
    reader = scope.reader
    if measure.kind in _QUANTILES:
        rows = reader.rows("summaries/quantiles", q=_QUANTILES[measure.kind])
        found = _without_interval((subject, value, n) for subject, n, value in rows)
    elif measure.kind in ("count", "prompts"):
        is_count = measure.kind == "count"
        rows = reader.rows("summaries/means")
        found = _without_interval((subject, n if is_count else n_prompts, n) for subject, n, n_prompts, _ in rows)
    else:
        found = _means(reader, measure.kind)
    if not found and not measure.by:
        return [scope.figure(measure, None, 0)]
    return [
        scope.figure(measure, value, n, interval=interval, by=named_subject(measure, subject))
        for subject, value, n, interval in found
    ]


def list_rows(scope: Scope, measure: Measure, **others: str) -> None:
    """Define the view `listed` of a measure: subject, prompt_id, value, and other columns by name."""
    body = scope.listing(measure.listing).body()
    columns = [f"coalesce({name}, '')" for name in measure.by]
    subject = (
        columns[0] if len(columns) == 1 else f"concat_ws('{_SEPARATOR}', {', '.join(columns)})" if columns else "''"
    )
    more = "".join(f", {column}::double as {name}" for name, column in others.items())
    scope.reader.define(
        "listed",
        f"select {subject} as subject, prompt_id, {measure.column}::double as value{more} "
        f"from (\n{body}\n) where {measure.column} is not null",
    )


def named_subject(measure: Measure, subject: str) -> dict[str, str]:
    """Return a row's subject by the names of its columns."""
    return dict(zip(measure.by, subject.split(_SEPARATOR), strict=True)) if measure.by else {}


def _without_interval(rows: Iterable[tuple[Any, ...]]) -> list[Found]:
    return [Found(subject, float(value), int(n)) for subject, value, n in rows]


def _means(reader: Reader, kind: str) -> list[Found]:
    rows = reader.rows("summaries/means")
    bootstrapped = {}
    if kind != "portion" and any(kind == "mean" or n != n_prompts for _, n, n_prompts, _ in rows):
        bootstrapped = {
            subject: Interval(low, high, BOOTSTRAP) for subject, low, high in reader.rows("summaries/mean_intervals")
        }
    found = []
    for subject, n, n_prompts, value in rows:
        interval = bootstrapped.get(subject)
        if kind == "share" and (n == n_prompts or value in (0, 1)):
            interval = exact_interval(value, n_prompts)
        found.append(Found(subject, value, int(n), interval))
    return found
