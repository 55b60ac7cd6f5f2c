"""What a build that cannot be made as asked would need. Plain records; counted in `selecting`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Cell(NamedTuple):
    """A pool, or a stratum of it: its share of the build, how many pairs it can give and how many it is to give."""

    pool: str
    stratum: str  # empty where the recipe has none
    share: float
    available: int
    wanted: int

    @property
    def name(self) -> str:
        """Return the pool and stratum in words."""
        return f"pool {self.pool}, stratum {self.stratum}" if self.stratum else f"pool {self.pool}"


@dataclass(frozen=True, slots=True)
class PoolShortfall:
    """Why a pool, or a stratum of it, falls short.

    `prompts_needed` is the least number of further prompts, each giving all the pairs that a prompt may give.
    `reasons` counts the eligible prompts that give nothing, each once; `unanswered` the eligible prompts that a source
    of the pool has not answered, by the source's label.
    """

    cell: Cell
    prompts_needed: int
    reasons: Mapping[str, int]
    unanswered: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What was asked for, what can be had now (`reachable`, the shares kept), and where the rest is missing.

    `ineligible` counts the prompts that filters or strata leave out, by reason.
    """

    makes: str
    target: int | None
    reachable: int
    n_eligible: int
    ineligible: Mapping[str, int]
    pools: tuple[PoolShortfall, ...]
