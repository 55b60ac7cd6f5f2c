"""Writing a build, in one transaction, under its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tsodata.builds.planning import Plan
from tsodata.errors import UsageError
from tsodata.provenance import Run
from tsodata.store import Snapshot, Store, Transaction

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
    """Store the rows of a build, where they are not there yet, and give it a name.

    Raises:
        UsageError: somebody else has taken the name meanwhile.
    """
    made = drawn["pairs" if plan.recipe.makes == "pairs" else "build_responses"]
    with store.transaction(run) as transaction:
        if transaction.rows("builds/by_name", name=name):
            raise UsageError(f"a build {name!r} has just been made by somebody else; choose another name")
        if not transaction.rows("builds/by_key", build_key=key):
            for table, rows in drawn.items():
                transaction.insert(table, rows)
            transaction.insert("minibatches", _minibatches(made, key, with_pairs=plan.recipe.makes == "pairs"))
        _insert_header(transaction, name, plan, snapshot=snapshot, key=key, made=made)


def _minibatches(made: pa.Table, key: int, *, with_pairs: bool) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    counts = made.group_by("minibatch").aggregate([("prompt_key", "count_distinct"), ("prompt_key", "count")])
    counts = counts.filter(pc.is_valid(counts["minibatch"])).sort_by("minibatch")
    n_pairs = counts["prompt_key_count"] if with_pairs else pa.array([0] * counts.num_rows)
    return pa.table(
        {
            "build_key": pa.array([key] * counts.num_rows, pa.uint64()),
            "minibatch": counts["minibatch"],
            "n_prompts": counts["prompt_key_count_distinct"],
            "n_pairs": n_pairs,
        }
    )


def _insert_header(
    transaction: Transaction, name: str, plan: Plan, *, snapshot: Snapshot, key: int, made: pa.Table
) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    recipe = plan.recipe
    if not transaction.rows("builds/recipe", recipe_key=recipe.key):
        row = {"recipe_key": pa.array([recipe.key], pa.uint64()), "body": [recipe.body()]}
        transaction.insert("recipes", pa.table(row))
    header: dict[str, list[Any]] = {
        "build_key": [key],
        "name": [name],
        "recipe_key": [recipe.key],
        "resolved": [plan.resolved()],
        "base": [plan.base],
        "seed": [recipe.seed],
        "snapshot_key": [snapshot.key],
        "snapshot_seq": [snapshot.commit_seq],
        "n_prompts": [pc.count_distinct(made["prompt_key"]).as_py()],
        "n_pairs": [made.num_rows if recipe.makes == "pairs" else 0],
    }
    keys_xor = transaction.rows("builds/pairs_xor", build_key=key)[0][0]
    columns = {
        name: pa.array(values, pa.uint64() if name.endswith("_key") else None) for name, values in header.items()
    }
    transaction.insert("builds", pa.table({**columns, "pairs_xor": pa.array([keys_xor], pa.uint64())}))
