"""Where a figure lies with 95 % confidence, and the exact interval of a share.

Pure arithmetic. The bootstrap is SQL (sql/summaries), because it is over sets.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

CONFIDENCE = 0.95
EXACT = "exact (Clopper-Pearson)"
BOOTSTRAP = "bootstrap by prompt"


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a figure lies with 95 % confidence, and how that was found."""

    low: float
    high: float
    method: str


def exact_interval(share: float, n: int) -> Interval | None:
    """Return the Clopper-Pearson interval of a share of n independent items; None where there are none."""
    if n == 0:
        return None
    hits, tail = round(share * n), (1 - CONFIDENCE) / 2
    low = _where(lambda p: _tail(hits, n, p), tail) if hits else 0.0
    high = _where(lambda p: 1 - _tail(hits + 1, n, p), tail, falling=True) if hits < n else 1.0
    return Interval(low, high, EXACT)


def _where(probability: Callable[[float], float], wanted: float, *, falling: bool = False) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if (probability(middle) < wanted) != falling:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _tail(k: int, n: int, p: float) -> float:
    """Return P(X >= k) for X binomial(n, p): the regularised incomplete beta function I_p(k, n - k + 1)."""
    if k <= 0:
        return 1.0
    if k > n or p <= 0:
        return 0.0
    if p >= 1:
        return 1.0
    a, b = float(k), float(n - k + 1)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(p) + b * math.log1p(-p))
    if p < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, p) / a
    return 1 - front * _fraction(b, a, 1 - p) / b


def _fraction(a: float, b: float, x: float) -> float:
    """Return the continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8), by Lentz."""
    tiny = 1e-300
    c, d = 1.0, 1 / _off_zero(1 - (a + b) * x / (a + 1), tiny)
    result = d
    for m in range(1, 10_000):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _off_zero(1 + term * d, tiny)
            c = _off_zero(1 + term / c, tiny)
            result *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return result


def _off_zero(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny
