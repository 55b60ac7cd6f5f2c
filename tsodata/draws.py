"""The arithmetic of a build: source weights (Eqs. 3, 4), quotas of pools, and how far a draw strays from its weights.

Pure functions over numbers; the draw itself is SQL (sql/pairs), because it is over sets.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tsodata.errors import EmptyPoolError
from tsodata.matrix import CHOSEN_ROLES, REJECTED_ROLES, Roster
from tsodata.recipes import Weights
from tsodata.records import Source


class SourceWeights(NamedTuple):
    """The weight of each source, adding up to 1, and the names that stand for no source."""

    weights: Mapping[Source, float]
    without_source: tuple[str, ...]


def source_weights(weights: Weights, roster: Roster, *, side: str) -> SourceWeights:
    """Return the weight of each source of a side: a role's sources share its weight evenly (Eqs. 3, 4).

    Names without a source are told, and the others scaled up to 1.

    Raises:
        EmptyPoolError: no name has a source.
        UsageError: a name needs a base, and none is named.
    """
    if weights == "uniform":
        matrix = roster.around("uniform")
        sources = matrix.chosen if side == "chosen" else matrix.rejected
        given = dict.fromkeys(sources, 1.0)
        missing: tuple[str, ...] = ()
    else:
        assert not isinstance(weights, str)
        given, empty = {}, []
        for name, weight in weights.items():
            found = roster.find(name)
            if weight > 0 and not found:
                empty.append(name)
            for source in found if weight > 0 else ():
                given[source] = given.get(source, 0.0) + weight / len(found)
        missing = tuple(empty)
    if not given:
        roles = CHOSEN_ROLES if side == "chosen" else REJECTED_ROLES
        asked = ", ".join(missing or roles)
        whose = roster.matrix.base.label if roster.matrix else "the recipe"
        raise EmptyPoolError(f"{whose} has no {side} source in the store (asked for: {asked})")
    total = math.fsum(given.values())
    return SourceWeights({source: weight / total for source, weight in given.items()}, missing)


class Supply(NamedTuple):
    """Prompts that can give a pair from the first pool only, the second only, or both."""

    first_only: int
    second_only: int
    both: int


def split_both(supply: Supply, share: float) -> int:
    """Return how many of the prompts that serve both pools go to the first, so that the most pairs keep the shares.

    `share` is the first pool's, below 1.
    """

    def most_pairs(to_first: int) -> float:
        return min((first + to_first) / share, (second + both - to_first) / (1 - share))

    first, second, both = supply
    balanced = share * sum(supply) - first
    near = {min(max(round_(balanced), 0), both) for round_ in (math.floor, math.ceil)}
    return max(sorted(near), key=most_pairs)


def quotas(available: Sequence[int], shares: Sequence[float], n: int | None) -> list[int]:
    """Return how many pairs each pool gives: `n` in all, or the most that keep the shares.

    The quotas differ from the exact shares by less than one pair. They may exceed what is available when `n` does.
    """
    if n is None:
        n = math.floor(min(count / share for count, share in zip(available, shares, strict=True)) + 1e-9)
    exact = [n * share for share in shares]
    result = [math.floor(value + 1e-9) for value in exact]
    by_remainder = sorted(range(len(shares)), key=lambda i: (result[i] - exact[i], i))
    for position in by_remainder[: n - sum(result)]:
        result[position] += 1
    return result


class ChiSquare(NamedTuple):
    """Pearson's statistic, its degrees of freedom, and the probability of one as large or larger."""

    statistic: float
    dof: int
    p: float


def chi_square(expected: Sequence[float], realised: Sequence[int]) -> ChiSquare:
    """Return Pearson's test of counts against their expectation; sources that nothing is expected of are left out."""
    cells = [(e, r) for e, r in zip(expected, realised, strict=True) if e > 0]
    statistic = math.fsum((r - e) ** 2 / e for e, r in cells)
    dof = max(len(cells) - 1, 0)
    return ChiSquare(statistic, dof, chi_square_tail(statistic, dof))


def chi_square_tail(statistic: float, dof: int) -> float:
    """Return P(X >= statistic) for a chi-square variable: the closed sums for whole degrees of freedom.

    Abramowitz and Stegun (1964), 26.4.4 and 26.4.5.
    """
    if dof == 0:
        return 1.0
    half = statistic / 2
    if dof % 2 == 0:
        terms = _falling_terms(1.0, half, range(1, dof // 2))
        return min(1.0, math.exp(-half) * math.fsum(terms))
    tail = math.erfc(math.sqrt(half))
    if dof == 1:
        return tail
    first = math.sqrt(statistic) * math.sqrt(2 / math.pi)
    terms = _falling_terms(first, statistic, range(3, dof, 2))
    return min(1.0, tail + math.exp(-half) * math.fsum(terms))


def _falling_terms(first: float, factor: float, divisors: Iterable[int]) -> list[float]:
    terms = [first]
    for divisor in divisors:
        terms.append(terms[-1] * factor / divisor)
    return terms


def effective_number(counts: Iterable[int]) -> float:
    """Return the effective number of sources, 1 / sum of squared shares; 0 where nothing was drawn."""
    values = [count for count in counts if count]
    total = sum(values)
    return total**2 / sum(count**2 for count in values) if total else 0.0
