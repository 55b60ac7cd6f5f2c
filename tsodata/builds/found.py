"""A build as the store has it: what it holds, and how the draw went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from tsodata.builds.minibatches import no_such_build
from tsodata.draws import ChiSquare, chi_square, effective_number
from tsodata.provenance import format_id
from tsodata.recipes import Recipe
from tsodata.store import Store


class Share(NamedTuple):
    """How often a source was drawn. `requested` and `expected` are None where scores or verdicts decide."""

    pool: str
    side: str
    source: str
    requested: float | None
    expected: float | None
    realised: int


class StratumShare(NamedTuple):
    """How much of a pool a stratum was asked for, how many pairs (prompts) it could give, and how many it gave."""

    pool: str
    stratum: str
    requested: float
    available: int
    realised: int


@dataclass(frozen=True, slots=True)
class Build:
    """What a build holds, and how the draw went. `n_responses` counts the answers of a build that makes no pairs.

    `base` is empty where the recipe needs none; `draws` tells how each pool draws.
    """

    name: str
    build_id: str
    base: str
    seed: int
    snapshot_id: str
    n_prompts: int
    n_pairs: int
    n_responses: int
    n_held_out: int
    minibatches: tuple[int, ...]
    draws: Mapping[str, str]
    shares: tuple[Share, ...]
    strata: tuple[StratumShare, ...]
    outcomes: Mapping[str, int]
    warnings: tuple[str, ...]
    already_there: bool = False

    def side(self, pool: str, side: str) -> list[Share]:
        """Return the shares of one side of a pool."""
        return [share for share in self.shares if (share.pool, share.side) == (pool, side)]

    def test(self, pool: str, side: str) -> ChiSquare | None:
        """Return the chi-square test of the draw against its weights, or None where scores or verdicts decided."""
        shares = [share for share in self.side(pool, side) if share.expected is not None]
        return chi_square([float(s.expected or 0) for s in shares], [s.realised for s in shares]) if shares else None

    def effective_sources(self, pool: str, side: str) -> float:
        """Return the effective number of sources on one side."""
        return effective_number(share.realised for share in self.side(pool, side))


def find_build(store: Store, name: str, *, warnings: tuple[str, ...] = (), already_there: bool = False) -> Build:
    """Return a build by its name.

    Raises:
        UnknownNameError: there is none of that name.
    """
    with store.reader() as reader:
        rows = reader.rows("builds/by_name", name=name)
        if not rows:
            raise no_such_build(reader, name)
        key, base, seed, snapshot_key, n_prompts, n_pairs, body = rows[0]
        shares = tuple(Share(*row) for row in reader.rows("builds/shares", build_key=key))
        strata = tuple(StratumShare(*row) for row in reader.rows("builds/strata", build_key=key))
        outcomes = {str(reason): int(n) for reason, n in reader.rows("builds/outcomes", build_key=key)}
        minibatches = tuple(int(n) for _, n, _ in reader.rows("builds/minibatches", build_key=key))
        n_responses = int(reader.rows("builds/n_responses", build_key=key)[0][0])
        n_held_out = int(reader.rows("builds/n_held_out", build_key=key)[0][0])
        against = int(reader.rows("builds/reverse_alignment", build_key=key, base=base)[0][0])
    return Build(
        name=name,
        build_id=format_id("build", int(key)),
        base=str(base),
        seed=int(seed),
        snapshot_id=format_id("snapshot", int(snapshot_key)),
        n_prompts=int(n_prompts),
        n_pairs=int(n_pairs),
        n_responses=n_responses,
        n_held_out=n_held_out,
        minibatches=minibatches,
        draws={name: pool.draw for name, pool in sorted(Recipe.from_body(str(body), seed=int(seed)).pools.items())},
        shares=shares,
        strata=strata,
        outcomes=outcomes,
        warnings=(*warnings, *_reverse_alignment(str(base), against)),
        already_there=already_there,
    )


def _reverse_alignment(base: str, against: int) -> tuple[str, ...]:
    """Return a warning where the base's own answers are rejected against another source's chosen ones (Sec. 4.2)."""
    if not against:
        return ()
    line = f"{against} pairs reject {base}'s own answers against another source's: the paper found that this"
    return (f"{line} reverses alignment (Sec. 4.2)",)
