"""Figures of all seeds put together: means with intervals over seeds, and differences seed by seed.

The interval is Student's t over seeds at 95 %. Differences are taken within a seed, where both sides share prompts,
answers and the exam, so they vary less than the two means.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

T_975: Mapping[int, float] = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776}  # by degrees of freedom
Seed = Mapping[str, Any]  # a unit's name -> its figures


class Estimate(NamedTuple):
    """A mean over seeds and half the width of its interval; NaN with fewer than two seeds."""

    mean: float
    half: float
    n: int

    @property
    def verdict(self) -> str:
        """Say whether zero lies within the interval, and on which side of it the interval lies."""
        if not abs(self.mean) > self.half:  # NaN too
            return "undecided"
        return "above" if self.mean > 0 else "below"

    def told(self, digits: int = 2) -> str:
        """Return it for a table."""
        if math.isnan(self.half):
            return f"{self.mean:.{digits}f}"
        return f"{self.mean:.{digits}f} ± {self.half:.{digits}f}"


def estimate(values: Sequence[float]) -> Estimate:
    """Return the mean of one value per seed, with its interval."""
    n = len(values)
    if n < 2:
        return Estimate(values[0], math.nan, n)
    half = T_975[n - 1] * statistics.stdev(values) / math.sqrt(n)
    return Estimate(statistics.fmean(values), half, n)


@dataclass(frozen=True, slots=True)
class Results:
    """The figures of all seeds that are complete, in the order of the seeds, and of the models."""

    seeds: tuple[Seed, ...]
    models: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path, units: Sequence[str]) -> Results:
        """Return the results in a folder; a seed that lacks a unit is left out."""
        seeds = []
        for home in sorted(folder.glob("seed-*")):
            found = {unit: home / f"{unit}.json" for unit in units}
            if all(path.exists() for path in found.values()):
                seeds.append({unit: json.loads(path.read_text(encoding="utf-8")) for unit, path in found.items()})
        models = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("models-*/*.json")}
        return cls(tuple(seeds), models)

    def over(self, value: Callable[[Seed], float]) -> Estimate:
        """Return the estimate of one value per seed."""
        return estimate([value(seed) for seed in self.seeds])
