"""What people ask a store of this size, and how long each answer takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.material import BASE, DATASET
from tsodata.builds import build_pairs, find_build
from tsodata.coverage import load_coverage, load_matrix
from tsodata.lineage import explain_pair
from tsodata.provenance import Run
from tsodata.recipes import BUILT_IN
from tsodata.store import Reader, Store

NAME = "questions"
LISTED = (
    "select build, base, n_pairs, n_prompts, n_minibatches, seed, build_id, snapshot_id from v_builds order by build"
)


def costs(path: Path) -> dict[str, float]:
    """Return the wall seconds of each answer, from a closed store; a build is added to the store first."""
    store = Store.open(path)
    with store.run(Run("benchmarks")) as run:
        build_pairs(store, NAME, base=BASE, recipe=BUILT_IN["tso"], run=run)
    return {name: _wall(ask) for name, ask in _questions(store).items()}


def _questions(store: Store) -> dict[str, Callable[[], object]]:
    prompt, pair = store.sql("select prompt_id, pair_id from v_pairs order by pair_id limit 1").row(0)
    answer = store.sql("select response_id from v_responses limit 1").item()

    def with_reader(ask: Callable[[Reader], object]) -> Callable[[], None]:
        def asked() -> None:
            with store.reader() as reader:
                ask(reader)

        return asked

    def sql(text: str) -> Callable[[], object]:
        return lambda: store.sql(text)

    return {
        "the key of the snapshot": with_reader(lambda reader: reader.snapshot()),
        "`matrix`": with_reader(lambda reader: load_coverage(reader, load_matrix(reader, BASE))),
        "`matrix --dataset`": with_reader(lambda reader: load_coverage(reader, load_matrix(reader, BASE), DATASET)),
        "`builds`": sql(LISTED),
        "`builds NAME`": lambda: find_build(store, NAME),
        "`explain PAIR`": lambda: explain_pair(store, pair),
        "`query build-shares`": lambda: store.query("build-shares", build=NAME),
        "`query pairs-by-source`": lambda: store.query("pairs-by-source", build=NAME),
        "`query source-coverage`": lambda: store.query("source-coverage"),
        "`v_pairs` of a build, counted": sql(f"select count(*) from v_pairs where build = '{NAME}'"),
        "`v_responses` of a prompt": sql(f"select * from v_responses where prompt_id = '{prompt}'"),
        "`v_responses` by id": sql(f"select * from v_responses where response_id = '{answer}'"),
        "`v_responses` of a source, counted": sql(f"select count(*) from v_responses where source = '{BASE}'"),
        "`v_scores` of a prompt": sql(f"select * from v_scores where prompt_id = '{prompt}'"),
        "`v_scores`, mean by source": sql("select source, avg(value) as mean from v_scores group by source"),
        "`v_lineage` of a prompt": sql(f"select * from v_lineage where prompt_id = '{prompt}' and build = '{NAME}'"),
    }


def _wall(ask: Callable[[], object]) -> float:
    started = time.perf_counter()
    ask()
    return time.perf_counter() - started
