"""Writing a build, in one transaction, under its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tsodata.builds.planning import Plan
from tsodata.errors import UsageError
from tsodata.provenance import Run
from tsodata.store import Snapshot, Store

if TYPE_CHECKING:
    import pyarrow as pa


def store_build(
    store: Store,
    name: str,
    plan: Plan,
    *,
    snapshot: Snapshot,
    key: int,
    drawn: Mapping[str, pa.Table],
    run: Run,
) -> None:
    """Store the rows of a build, where they are not there yet, and give it a name."""
    import pyarrow as pa
    import pyarrow.compute as pc

    pairs = drawn["pairs"]
    row: dict[str, list[Any]] = {
        "build_key": [key],
        "name": [name],
        "recipe_key": [plan.recipe.key],
        "resolved": [plan.resolved()],
        "base": [plan.matrix.base.label],
        "seed": [plan.seed],
        "snapshot_key": [snapshot.key],
        "snapshot_seq": [snapshot.commit_seq],
        "n_prompts": [pc.count_distinct(pairs["prompt_key"]).as_py()],
        "n_pairs": [pairs.num_rows],
    }
    counts = pairs.group_by("minibatch").aggregate([("prompt_key", "count_distinct"), ("prompt_key", "count")])
    counts = counts.filter(pc.is_valid(counts["minibatch"])).sort_by("minibatch")
    with store.transaction(run) as transaction:
        if transaction.rows("builds/by_name", name=name):
            raise UsageError(f"a build {name!r} has just been made by somebody else; choose another name")
        if not transaction.rows("builds/by_key", build_key=key):
            for table, rows in drawn.items():
                transaction.insert(table, rows)
            minibatches = counts.select(["minibatch", "prompt_key_count_distinct", "prompt_key_count"])
            minibatches = minibatches.rename_columns(["minibatch", "n_prompts", "n_pairs"])
            keys = pa.array([key] * minibatches.num_rows, pa.uint64())
            transaction.insert("minibatches", minibatches.add_column(0, "build_key", keys))
        if not transaction.rows("builds/recipe", recipe_key=plan.recipe.key):
            recipe = {"recipe_key": pa.array([plan.recipe.key], pa.uint64()), "body": [plan.recipe.body()]}
            transaction.insert("recipes", pa.table(recipe))
        keys_xor = transaction.rows("builds/pairs_xor", build_key=key)[0][0]
        columns = {
            name: pa.array(values, pa.uint64() if name.endswith("_key") else None) for name, values in row.items()
        }
        transaction.insert("builds", pa.table({**columns, "pairs_xor": pa.array([keys_xor], pa.uint64())}))
