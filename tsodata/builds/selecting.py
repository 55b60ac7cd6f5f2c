"""Which of the drawn pairs the build takes: each prompt's pool, the pools' quotas, and the split into minibatches."""

from __future__ import annotations

import math

from tsodata.builds.planning import Plan
from tsodata.draws import Supply, quotas, split_both
from tsodata.errors import DataError, EmptyPoolError
from tsodata.provenance import stream_seed
from tsodata.store import Reader


def select(reader: Reader, plan: Plan, *, allow_short: bool) -> list[str]:
    """Choose the pairs that fill the pools' shares, and place their prompts; return what falls short.

    Leaves the temporary tables `selected` and `split` behind.

    Raises:
        EmptyPoolError: a pool cannot give its share, and `allow_short` is off.
        DataError: there are fewer prompts than minibatches.
    """
    recipe = plan.recipe
    pools = sorted(recipe.pools)
    shares = [recipe.pools[pool].share for pool in pools]
    supply = dict(reader.rows("pairs/supply"))
    counts = [int(supply.get(names, 0)) for names in (pools[0], pools[-1], "+".join(pools))]
    n_both = split_both(Supply(*counts), shares[0]) if len(pools) > 1 else 0
    reader.keep(
        "assigned",
        "pairs/assigned",
        first_pool=pools[0],
        n_both=n_both,
        seed=stream_seed(plan.seed, "pool of a prompt"),
    )
    found = dict(reader.rows("pairs/available"))
    available = [int(found.get(pool, 0)) for pool in pools]
    wanted = quotas(available, shares, recipe.n)
    told = _short(reader, plan, pools, available, wanted, allow_short=allow_short)
    if told and recipe.n is None:
        wanted = available
    reader.keep(
        "selected", "pairs/selected", pools=pools, quotas=wanted, seed=stream_seed(plan.seed, "order within a pool")
    )
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
        held_out_seed=stream_seed(plan.seed, "held out"),
        minibatch_seed=stream_seed(plan.seed, "minibatch"),
    )
    return told


def _short(
    reader: Reader,
    plan: Plan,
    pools: list[str],
    available: list[int],
    wanted: list[int],
    *,
    allow_short: bool,
) -> list[str]:
    """Return a line for each pool that cannot give its share; raise it unless `allow_short`."""
    told = []
    for pool, count, quota in zip(pools, available, wanted, strict=True):
        if count > 0 and count >= quota:
            continue
        reasons = reader.rows("pairs/reasons", pool=pool)
        because = ", ".join(f"{n} prompts {reason}" for reason, n in reasons[:4])
        asked = f"of {quota} pairs asked for" if quota else f"for its share of {plan.recipe.pools[pool].share:g}"
        told.append(f"pool {pool} gives {count} {asked} ({because or 'no eligible prompt'})")
    if told and not allow_short:
        raise EmptyPoolError(f"{'; '.join(told)}. Pass --allow-short to build from what there is, or another recipe")
    if told and not any(available):
        raise EmptyPoolError(f"{'; '.join(told)}: no pair at all can be drawn")
    return told
