"""Drawing a build again: from what is stored with it, to see whether the same comes out; or on today's material.

A verification takes everything from the build: its recipe and seed, the sources, weights, order of versions and scores
that were resolved then, and only the material up to its snapshot. What was imported since cannot change it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tsodata.builds.building import build_pairs, draw_build
from tsodata.builds.found import Build
from tsodata.builds.planning import stored_plan
from tsodata.errors import DataError
from tsodata.provenance import Run, format_id
from tsodata.store import Store

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

_STORED = {
    "pairs": "builds/stored_pairs",
    "build_responses": "builds/stored_responses",
    "build_prompts": "builds/stored_prompts",
    "build_shares": "builds/stored_shares",
    "build_strata": "builds/stored_strata",
    "build_prompt_strata": "builds/stored_prompt_strata",
}
_N_EXAMPLES = 3


class TableCheck(NamedTuple):
    """The rows of one table: as stored, as drawn again, and how many stand on one side alone."""

    table: str
    n_stored: int
    n_redrawn: int
    only_stored: int
    only_redrawn: int
    example_prompts: tuple[str, ...]

    @property
    def is_equal(self) -> bool:
        """Return whether the table was drawn again row by row."""
        return not self.only_stored and not self.only_redrawn


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of drawing a build again. `snapshot_holds`: the material up to its snapshot is what it was.

    `id_holds`: the recipe, seed, plan and snapshot still give the build's id. `stopped`: why nothing could be drawn.
    """

    build: str
    build_id: str
    snapshot_holds: bool
    id_holds: bool
    tables: tuple[TableCheck, ...]
    stopped: str | None = None

    @property
    def is_equal(self) -> bool:
        """Return whether everything was drawn again as it is stored."""
        holds = self.snapshot_holds and self.id_holds and self.stopped is None
        return holds and all(check.is_equal for check in self.tables)


def verify_build(store: Store, name: str) -> Verification:
    """Draw a build again from its stored recipe, seed, plan and snapshot, and compare it row by row.

    Raises:
        UnknownNameError: there is no build of that name.
    """
    with store.reader() as reader:
        stored = stored_plan(reader, name)
        now = reader.snapshot(stored.snapshot.commit_seq)
        try:
            drawn = draw_build(reader, stored.plan, stored.snapshot, key=stored.build_key, allow_short=True).tables
            stopped = None
        except DataError as error:
            drawn, stopped = {}, str(error)
        checks = []
        for table, path in _STORED.items():
            rows = reader.arrow(path, build_key=stored.build_key)
            checks.append(_compare(table, rows, drawn.get(table)))
    return Verification(
        build=name,
        build_id=format_id("build", stored.build_key),
        snapshot_holds=now.key == stored.snapshot.key,
        id_holds=stored.plan.build_key(stored.snapshot.key) == stored.build_key,
        tables=tuple(check for check in checks if check.n_stored or check.n_redrawn),
        stopped=stopped,
    )


def _compare(name: str, stored: pa.Table, redrawn: pa.Table | None) -> TableCheck:
    import polars as pl

    left = pl.DataFrame(stored)
    right = left.clear() if redrawn is None else pl.DataFrame(redrawn).select(left.columns).cast(left.schema)
    ends = [_rows_of_one(left, right), _rows_of_one(right, left)]
    prompts: list[int] = []
    if "prompt_key" in left.columns:
        prompts = sorted({key for end in ends for key in end["prompt_key"].head(_N_EXAMPLES)})[:_N_EXAMPLES]
    return TableCheck(
        table=name,
        n_stored=left.height,
        n_redrawn=right.height,
        only_stored=ends[0].height,
        only_redrawn=ends[1].height,
        example_prompts=tuple(format_id("prompt", key) for key in prompts),
    )


def _rows_of_one(frame: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    return frame.join(other, on=frame.columns, how="anti", nulls_equal=True, maintain_order="left")


def rebuild(
    store: Store,
    name: str,
    new_name: str,
    *,
    run: Run,
    versions: Sequence[str] | None = None,
    allow_short: bool = False,
) -> Build:
    """Draw the recipe of a build, with its base and seed, on the material that is there now, under a new name.

    Raises:
        UnknownNameError: there is no build of that name.
        UsageError, EmptyPoolError: as `build_pairs`.
    """
    with store.reader() as reader:
        plan = stored_plan(reader, name).plan
    return build_pairs(
        store, new_name, base=plan.base or None, recipe=plan.recipe, run=run, versions=versions, allow_short=allow_short
    )
