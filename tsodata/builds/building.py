"""One build from beginning to end: plan, draw, select, store.

The draw runs as SQL over keys on a read-only connection; only its result is written. The same material, recipe and seed
give the same pairs on any machine, with any number of threads and in whatever order the store was filled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tsodata.builds.drawing import draw
from tsodata.builds.found import Build, find_build
from tsodata.builds.planning import SIDES, Plan, make_plan, without_source
from tsodata.builds.selecting import select
from tsodata.builds.storing import store_build
from tsodata.errors import UsageError
from tsodata.provenance import Run
from tsodata.recipes import Recipe
from tsodata.store import Reader, Snapshot, Store

if TYPE_CHECKING:
    import pyarrow as pa


def build_pairs(
    store: Store,
    name: str,
    *,
    base: str,
    recipe: Recipe,
    run: Run,
    versions: Sequence[str] | None = None,
    allow_short: bool = False,
) -> Build:
    """Draw the pairs of a recipe around a base model, and store them under a name.

    The same name with the same content is already there, and adds nothing.

    Raises:
        UsageError: the name is taken by another build, or the base or a weight names nobody.
        EmptyPoolError: a pool has no material or not enough, and `allow_short` is off.
    """
    with store.reader() as reader:
        snapshot = reader.snapshot()
        plan = make_plan(reader, base, recipe, snapshot, versions)
        warnings = without_source(plan, allow_short=allow_short)
        key = plan.build_key(snapshot)
        taken = reader.rows("builds/by_name", name=name)
        if taken and taken[0][0] != key:
            raise UsageError(f"a build {name!r} is there already, with other content; choose another name")
        if not taken:
            draw(reader, plan, snapshot)
            warnings += select(reader, plan, allow_short=allow_short)
            drawn = {
                "pairs": reader.arrow("pairs/result", build_key=key),
                "build_prompts": reader.arrow("pairs/outcomes", build_key=key),
                "build_shares": _share_table(reader, plan, snapshot, key),
            }
    if taken:
        return find_build(store, name, already_there=True)
    store_build(store, name, plan, snapshot=snapshot, key=key, drawn=drawn, run=run)
    return find_build(store, name, warnings=tuple(warnings))


def _share_table(reader: Reader, plan: Plan, snapshot: Snapshot, key: int) -> pa.Table:
    import pyarrow as pa

    asked: list[tuple[str, str, int, float | None]] = [
        (pool, side, source.source_key, weight)
        for (pool, side), found in plan.weights.items()
        for source, weight in found.weights.items()
    ]
    asked += [
        (pool, side, source.source_key, None)
        for pool, sources in plan.competitors.items()
        for side in SIDES
        for source in sources
    ]
    pools, sides, sources, weights = (list(column) for column in zip(*asked, strict=True))
    table = reader.arrow(
        "pairs/shares", snapshot_seq=snapshot.commit_seq, pools=pools, sides=sides, sources=sources, weights=weights
    )
    return table.add_column(0, "build_key", pa.array([key] * table.num_rows, pa.uint64()))
