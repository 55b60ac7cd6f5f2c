"""Weighted logistic regression without an intercept, on labels between 0 and 1, by Newton's method.

The problems here have a handful of coefficients and a few thousand rows: no library is worth loading for them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

_MAX_STEPS = 100
_TOLERANCE = 1e-10


class Observation(NamedTuple):
    """One row: its features, its label between 0 and 1, and how much it weighs."""

    features: tuple[float, ...]
    label: float
    weight: float = 1.0


def sigmoid(x: float) -> float:
    """Return 1 / (1 + exp(-x)), without overflow."""
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def fit_logistic(rows: Sequence[Observation]) -> tuple[float, ...]:
    """Return the coefficients of greatest weighted likelihood.

    Raises:
        ValueError: no finite coefficients are best: the rows can be separated, or a feature says nothing.
    """
    n_features = len(rows[0].features)
    beta = [0.0] * n_features
    for _ in range(_MAX_STEPS):
        gradient = [0.0] * n_features
        curvature = [[0.0] * n_features for _ in range(n_features)]
        for features, label, weight in rows:
            chance = sigmoid(_dot(beta, features))
            slope, bend = weight * (label - chance), weight * chance * (1 - chance)
            for i, x in enumerate(features):
                gradient[i] += slope * x
                for j in range(i + 1):
                    curvature[i][j] += bend * x * features[j]
        step = _solve(curvature, gradient)
        beta = [b + s for b, s in zip(beta, step, strict=True)]
        if max(map(abs, step)) < _TOLERANCE:
            return tuple(beta)
    raise ValueError("the fit does not settle: the rows can be separated")


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def _solve(lower: list[list[float]], right: list[float]) -> list[float]:
    """Solve a symmetric positive definite system, given by its lower triangle, by Cholesky."""
    n = len(right)
    factor = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            rest = lower[i][j] - _dot(factor[i][:j], factor[j][:j])
            if i != j:
                factor[i][j] = rest / factor[j][j]
            elif rest <= 1e-12 * max(lower[i][i], 1e-300):
                raise ValueError("the fit has no single best answer: a feature says nothing of its own")
            else:
                factor[i][i] = math.sqrt(rest)
    half = [0.0] * n
    for i in range(n):
        half[i] = (right[i] - _dot(factor[i][:i], half[:i])) / factor[i][i]
    whole = [0.0] * n
    for i in reversed(range(n)):
        below = sum(factor[k][i] * whole[k] for k in range(i + 1, n))
        whole[i] = (half[i] - below) / factor[i][i]
    return whole
