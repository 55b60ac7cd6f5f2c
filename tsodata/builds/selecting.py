"""Which of the drawn pairs the build takes: each prompt's pool, the quotas of pools and strata, and the minibatches.

Where a recipe makes answers or lists, what is counted and taken is a prompt.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from tsodata.builds.planning import Plan
from tsodata.builds.shortfall import Cell, PoolShortfall, Shortfall
from tsodata.draws import Supply, quotas, split_both
from tsodata.errors import DataError, EmptyPoolError, ShortPoolError
from tsodata.recipes import NO_STRATUM
from tsodata.store import Reader


class Selection(NamedTuple):
    """What each pool and stratum was asked for and could give, and a line for each that falls short."""

    cells: tuple[Cell, ...]
    warnings: tuple[str, ...]


def select(reader: Reader, plan: Plan, snapshot_seq: int, *, allow_short: bool) -> Selection:
    """Choose the pairs that fill the pools' and the strata's shares, and place their prompts.

    Leaves the temporary tables `selected` and `split` behind.

    Raises:
        ShortPoolError: a pool or stratum cannot give its share, and `allow_short` is off.
        EmptyPoolError: nothing at all can be drawn.
        DataError: there are fewer prompts than minibatches.
    """
    pools, strata = sorted(plan.recipe.pools), _strata_shares(reader, plan)
    _assign(reader, plan, pools, strata)
    cells = _cells(reader, plan, pools, strata)
    short = [cell for cell in cells if cell.available == 0 or cell.available < cell.wanted]
    if short and not allow_short:
        raise _short_error(reader, plan, snapshot_seq, cells=cells, short=short)
    told = tuple(_told(reader, plan, cell) for cell in short)
    if told and not any(cell.available for cell in cells):
        raise EmptyPoolError(f"{'; '.join(told)}: nothing at all can be drawn")
    if told and plan.recipe.n is None:
        cells = [cell._replace(wanted=cell.available) for cell in cells]
    reader.keep(
        "selected",
        "pairs/selected",
        pools=[cell.pool for cell in cells],
        strata=[cell.stratum for cell in cells],
        quotas=[cell.wanted for cell in cells],
        seed=plan.stream("order within a pool"),
    )
    _split(reader, plan)
    return Selection(tuple(cells), told)


def _strata_shares(reader: Reader, plan: Plan) -> Mapping[str, float]:
    """Return the share of each stratum; a single one, without a name, where the recipe has none."""
    strata = plan.recipe.strata
    if strata is None:
        return {"": 1.0}
    if not isinstance(strata.shares, str):
        return dict(sorted(strata.shares.items()))
    names = [str(name) for name, _ in reader.rows("pairs/strata_names")] or [NO_STRATUM]
    return dict.fromkeys(names, 1 / len(names))


def _assign(reader: Reader, plan: Plan, pools: list[str], strata: Mapping[str, float]) -> None:
    rows = reader.rows("pairs/supply") if len(pools) > 1 else []
    supply = {(stratum, names): int(n) for stratum, names, n in rows}
    share = plan.recipe.pools[pools[0]].share
    n_both = []
    for stratum in strata:
        counts = [supply.get((stratum, names), 0) for names in (pools[0], pools[-1], "+".join(pools))]
        n_both.append(split_both(Supply(*counts), share) if len(pools) > 1 else 0)
    reader.keep(
        "assigned",
        "pairs/assigned",
        first_pool=pools[0],
        strata=list(strata),
        n_both=n_both,
        seed=plan.stream("pool of a prompt"),
    )


def _cells(reader: Reader, plan: Plan, pools: list[str], strata: Mapping[str, float]) -> list[Cell]:
    found = {(pool, stratum): int(n) for pool, stratum, n in reader.rows("pairs/available")}
    places = [(pool, stratum) for pool in pools for stratum in strata]
    shares = [plan.recipe.pools[pool].share * strata[stratum] for pool, stratum in places]
    available = [found.get(place, 0) for place in places]
    wanted = quotas(available, shares, plan.recipe.n)
    return [Cell(*row) for row in zip(*zip(*places, strict=True), shares, available, wanted, strict=True)]


def _split(reader: Reader, plan: Plan) -> None:
    recipe = plan.recipe
    n_prompts = int(reader.rows("pairs/n_selected")[0][0])
    n_held_out = math.floor(n_prompts * recipe.held_out + 0.5)
    if n_prompts - n_held_out < recipe.minibatches:
        raise DataError(
            f"{n_prompts} paired prompts, {n_held_out} of them held out, cannot fill {recipe.minibatches} minibatches; "
            "pass a smaller --minibatches"
        )
    reader.keep(
        "split",
        "pairs/split",
        n_held_out=n_held_out,
        n_minibatches=recipe.minibatches,
        held_out_seed=plan.stream("held out"),
        minibatch_seed=plan.stream("minibatch"),
    )


def _reasons(reader: Reader, cell: Cell) -> dict[str, int]:
    found = reader.rows("pairs/reasons", pool=cell.pool, stratum=cell.stratum)
    return {str(reason): int(n) for reason, n in found}


def _told(reader: Reader, plan: Plan, cell: Cell) -> str:
    unit = "pairs" if plan.recipe.makes == "pairs" else "prompts"
    because = ", ".join(f"{n} prompts {reason}" for reason, n in list(_reasons(reader, cell).items())[:4])
    asked = f"of {cell.wanted} {unit} asked for" if cell.wanted else f"for its share of {cell.share:g}"
    return f"{cell.name} gives {cell.available} {asked} ({because or 'no eligible prompt'})"


def _short_error(
    reader: Reader, plan: Plan, snapshot_seq: int, *, cells: list[Cell], short: list[Cell]
) -> ShortPoolError:
    pools = []
    for cell in short:
        by_verdict = plan.recipe.pools[cell.pool].by_verdict
        sources = [] if by_verdict else plan.sources(cell.pool)  # who should compare what, no recipe says
        asked = {"pool": cell.pool, "stratum": cell.stratum}
        lacking = reader.rows("pairs/unanswered", snapshot_seq=snapshot_seq, sources=sources, **asked)
        pools.append(
            PoolShortfall(
                cell=cell,
                prompts_needed=math.ceil(max(cell.wanted - cell.available, 1) / plan.recipe.pairs_per_prompt),
                reasons=_reasons(reader, cell),
                unanswered={str(source): int(n) for source, n in lacking},
            )
        )
    reachable = quotas([cell.available for cell in cells], [cell.share for cell in cells], None)
    looked_at = {reason: int(n) for reason, n in reader.rows("pairs/ineligible")}
    shortfall = Shortfall(
        makes=plan.recipe.makes,
        target=plan.recipe.n,
        reachable=sum(reachable),
        n_eligible=looked_at.pop(None, 0),
        ineligible=looked_at,
        pools=tuple(pools),
    )
    told = "; ".join(_told(reader, plan, cell) for cell in short)
    return ShortPoolError(
        f"{told}. Pass --allow-short to build from what there is, or another recipe", shortfall=shortfall
    )
