"""What a statistic says: figures with their interval, their threshold and the SQL that lists the rows behind them.

Pure records. Knows nothing of the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tsodata.stats.intervals import CONFIDENCE, Interval

UNCLEAR = "unclear"
_DIGITS = 10  # sums of doubles differ in the last digits from one number of threads to another


@dataclass(frozen=True, slots=True)
class Threshold:
    """Where a figure is wanted, who says so, and the words for within and without.

    `low` and `high` are inclusive; None is no limit. `source` is an arXiv number, or 'house rule' with its reason.
    """

    source: str
    low: float | None = None
    high: float | None = None
    within: str = "fine"
    without: str = "look"

    def verdict(self, value: float | None, interval: Interval | None) -> str | None:
        """Return the word for a figure; 'unclear' where its interval reaches to both sides of a limit."""
        if value is None:
            return None
        if interval is None:
            return self.within if self._holds(value) else self.without
        if self._holds(interval.low) and self._holds(interval.high):
            return self.within
        if any(interval.low <= limit <= interval.high for limit in (self.low, self.high) if limit is not None):
            return UNCLEAR
        return self.without

    def _holds(self, value: float) -> bool:
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: `value` over `n` listed rows, of a subject such as {'source': 'vicuna/v1.5/7'}.

    `sql` lists those n rows, for `tso-data sql`, the ones to look at first on top. `value` is None where no row has
    one.
    """

    section: str
    name: str
    unit: str
    subject: Mapping[str, str]
    value: float | None
    n: int
    interval: Interval | None = None
    threshold: Threshold | None = None
    sql: str = ""

    @property
    def verdict(self) -> str | None:
        """Return the threshold's word, or None where there is no threshold."""
        return self.threshold.verdict(self.value, self.interval) if self.threshold else None

    def to_dict(self) -> dict[str, Any]:
        """Return the figure as plain data, numbers to ten digits."""
        interval, threshold = self.interval, self.threshold
        return {
            "section": self.section,
            "name": self.name,
            "unit": self.unit,
            "subject": dict(self.subject),
            "value": rounded(self.value),
            "n": self.n,
            "interval": interval
            and {"low": rounded(interval.low), "high": rounded(interval.high), "method": interval.method},
            "threshold": threshold and {"low": threshold.low, "high": threshold.high, "source": threshold.source},
            "verdict": self.verdict,
            "sql": self.sql,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a store, and what could not be told, one line each with the way out."""

    builds: tuple[str, ...]
    judge: str | None
    rubric: str | None
    base: str | None
    seed: int
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = field(default=())

    def section(self, name: str) -> list[Figure]:
        """Return the figures of one section."""
        return [figure for figure in self.figures if figure.section == name]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "builds": list(self.builds),
            "judge": self.judge,
            "rubric": self.rubric,
            "base": self.base,
            "seed": self.seed,
            "confidence": CONFIDENCE,
            "notes": list(self.notes),
            "figures": [figure.to_dict() for figure in self.figures],
        }


def rounded(value: float | None) -> float | None:
    """Return a number to ten significant digits."""
    return None if value is None else float(f"{value:.{_DIGITS}g}")
