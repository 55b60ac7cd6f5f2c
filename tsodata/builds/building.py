"""One build from beginning to end: plan, draw, select, store.

The draw runs as SQL over keys on a read-only connection; only its result is written. The same material, recipe and seed
give the same pairs on any machine, with any number of threads and in whatever order the store was filled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tsodata.builds.drawing import draw
from tsodata.builds.found import Build, find_build
from tsodata.builds.planning import SIDES, Plan, make_plan, without_source
from tsodata.builds.selecting import Selection, select
from tsodata.builds.storing import store_build
from tsodata.errors import UsageError
from tsodata.provenance import MAX_NAME_CHARS, Run, storable
from tsodata.recipes import Recipe
from tsodata.store import Reader, Snapshot, Store

if TYPE_CHECKING:
    import pyarrow as pa


class Drawn(NamedTuple):
    """The rows of a build by table, not yet stored, and what fell short."""

    tables: Mapping[str, pa.Table]
    warnings: tuple[str, ...]


def build_pairs(
    store: Store,
    name: str,
    *,
    recipe: Recipe,
    run: Run,
    base: str | None = None,
    versions: Sequence[str] | None = None,
    allow_short: bool = False,
) -> Build:
    """Draw the pairs, answers or lists of a recipe around a base model, and store them under a name.

    A recipe that names no role around a base needs none. The same name with the same content is already there, and
    adds nothing.

    Raises:
        UsageError: the name is taken by another build, the base or a weight names nobody, or a base is needed.
        RecipeError: the recipe leaves something open.
        EmptyPoolError: a pool has no material or not enough (then ShortPoolError), and `allow_short` is off.
    """
    if not name.strip() or len(name) > MAX_NAME_CHARS or storable(name) != name:
        raise UsageError(f"a build's name has 1 to {MAX_NAME_CHARS} characters of UTF-8, not {name[:40]!r}")
    with store.reader() as reader:
        snapshot = reader.snapshot()
        plan = make_plan(reader, base, recipe, snapshot, versions)
        warnings = without_source(plan, allow_short=allow_short)
        key = plan.build_key(snapshot.key)
        taken = reader.rows("builds/by_name", name=name)
        if taken and taken[0][0] != key:
            raise UsageError(f"a build {name!r} is there already, with other content; choose another name")
        drawn = None if taken else draw_build(reader, plan, snapshot, key=key, allow_short=allow_short)
    if drawn is None:
        return find_build(store, name, already_there=True)
    store_build(store, name, plan, snapshot=snapshot, key=key, drawn=drawn.tables, run=run)
    return find_build(store, name, warnings=(*warnings, *drawn.warnings))


def draw_build(reader: Reader, plan: Plan, snapshot: Snapshot, *, key: int, allow_short: bool) -> Drawn:
    """Return the rows of a build: a pure function of the plan and of the material up to the snapshot.

    Raises:
        EmptyPoolError: a pool has no material or not enough, and `allow_short` is off.
    """
    draw(reader, plan, snapshot.commit_seq)
    selection = select(reader, plan, snapshot.commit_seq, allow_short=allow_short)
    tables = {
        "build_prompts": reader.arrow("pairs/outcomes", build_key=key),
        "build_shares": _share_table(reader, plan, snapshot, key),
    }
    if plan.recipe.makes == "pairs":
        tables["pairs"] = reader.arrow("pairs/result", build_key=key)
    else:
        tables["build_responses"] = reader.arrow("answers/result", build_key=key)
    if plan.recipe.strata:
        tables["build_strata"] = _strata_table(reader, plan, selection, key)
        tables["build_prompt_strata"] = reader.arrow("pairs/prompt_strata", build_key=key)
    return Drawn(tables, selection.warnings)


def _share_table(reader: Reader, plan: Plan, snapshot: Snapshot, key: int) -> pa.Table:
    import pyarrow as pa

    competing = [
        (pool, source.source_key)
        for pool, sources in plan.competitors.items()
        if plan.recipe.pools[pool].by_score  # of those that verdicts compare, the drawn ones are told
        for source in sources
    ]
    if plan.recipe.makes != "pairs":
        pools, sources = (list(column) for column in zip(*competing, strict=True))
        table = reader.arrow("answers/shares", pools=pools, sources=sources)
        return table.add_column(0, "build_key", pa.array([key] * table.num_rows, pa.uint64()))
    asked: list[tuple[str, str, int, float | None]] = [
        (pool, side, source.source_key, weight)
        for (pool, side), found in plan.weights.items()
        for source, weight in found.weights.items()
    ]
    asked += [(pool, side, source, None) for pool, source in competing for side in SIDES]
    pools, sides, sources, weights = ([row[place] for row in asked] for place in range(4))
    table = reader.arrow(
        "pairs/shares", snapshot_seq=snapshot.commit_seq, pools=pools, sides=sides, sources=sources, weights=weights
    )
    return table.add_column(0, "build_key", pa.array([key] * table.num_rows, pa.uint64()))


def _strata_table(reader: Reader, plan: Plan, selection: Selection, key: int) -> pa.Table:
    cells = selection.cells
    return reader.arrow(
        "pairs/strata_shares",
        build_key=key,
        pools=[cell.pool for cell in cells],
        strata=[cell.stratum for cell in cells],
        requested=[round(cell.share / plan.recipe.pools[cell.pool].share, 12) for cell in cells],
        available=[cell.available for cell in cells],
    )
