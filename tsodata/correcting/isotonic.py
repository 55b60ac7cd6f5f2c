"""Isotonic regression: the rising line that lies nearest to points, by pool-adjacent-violators. Pure arithmetic."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple


class _Block(NamedTuple):
    """Points in a row that share one value: from where to where, their number, and the sum of what they say."""

    low: float
    high: float
    n: int
    total: float

    @property
    def level(self) -> float:
        return self.total / self.n


@dataclass(frozen=True, slots=True)
class RisingMap:
    """Knots, ascending, between which the map is a straight line; beyond them it stays at its ends."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]

    def __call__(self, x: float) -> float:
        """Return the value at x."""
        if x <= self.xs[0]:
            return self.ys[0]
        if x >= self.xs[-1]:
            return self.ys[-1]
        place = bisect_right(self.xs, x)
        x0, x1, y0, y1 = self.xs[place - 1], self.xs[place], self.ys[place - 1], self.ys[place]
        return y0 + (y1 - y0) * (x - x0) / (x1 - x0)


def fit_rising(points: Iterable[tuple[float, float]]) -> RisingMap:
    """Return the map that never falls and lies nearest to points (x, y), of which there is one or more, by squares.

    Equal x are one point with their mean. Neighbours that fall are pooled until none does (Ayer et al. 1955).
    """
    blocks: list[_Block] = []
    for x, same in groupby(sorted(points), key=lambda point: point[0]):
        ys = [y for _, y in same]
        blocks.append(_Block(x, x, len(ys), sum(ys)))
        while len(blocks) > 1 and blocks[-2].level >= blocks[-1].level:
            last, before = blocks.pop(), blocks.pop()
            blocks.append(_Block(before.low, last.high, before.n + last.n, before.total + last.total))
    knots = [(x, block.level) for block in blocks for x in dict.fromkeys((block.low, block.high))]
    return RisingMap(tuple(x for x, _ in knots), tuple(y for _, y in knots))
