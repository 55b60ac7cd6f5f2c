"""The store's own answer to each task, by the calls and the SQL files that the commands use."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.material import BASE, DATASET, DIMENSION, JUDGE, RUBRIC
from benchmarks.problem import (
    BASE_KEY,
    END_SEEDS,
    POOL,
    SEEDS,
    SIDES,
    WEIGHTS,
    checksum_of_keys,
    checksum_of_moments,
)
from tsodata.builds import build_pairs
from tsodata.builds.policies import keep_given
from tsodata.exporters import export_build
from tsodata.importers import ImportOptions, import_files
from tsodata.provenance import Run
from tsodata.recipes import BUILT_IN
from tsodata.store import Reader, Store

SHAPE = """
select skewness(value) as skewness, kurtosis(value) as kurtosis
from scores where value is not null group by prompt_key
"""


def _store(folder: Path) -> Store:
    return Store.open(folder / "store.duckdb")


def _keep_eligible(reader: Reader) -> int:
    seq = reader.snapshot().commit_seq
    reader.keep_text("scored", "select response_key, value from scores limit 0")  # no stratum asks for scores
    keep_given(reader, {}, "", snapshot_seq=seq)  # no pool keeps to a policy
    reader.keep("strata", "pairs/strata", snapshot_seq=seq, by=None, names=[], none="")
    reader.keep(
        "eligible",
        "pairs/eligible",
        snapshot_seq=seq,
        datasets=[],
        tags=[],
        required_names=[],
        required_sources=[],
        n_required=0,
        strata=[],
        build=None,
        minibatch=None,
    )
    return seq


def draw(folder: Path, out: Path) -> str:
    """Draw a chosen and a rejected answer for every prompt."""
    del out
    roles = [(side, source, weight, 1, SEEDS[side]) for side in SIDES for source, weight in WEIGHTS[side].items()]
    sides, sources, weights, rounds, seeds = (list(column) for column in zip(*roles, strict=True))
    with _store(folder).reader() as reader:
        seq = _keep_eligible(reader)
        reader.keep(
            "drawn",
            "pairs/draw_weighted",
            pool=POOL,
            snapshot_seq=seq,
            sides=sides,
            sources=sources,
            weights=weights,
            rounds=rounds,
            seeds=seeds,
        )
        return _drawn(reader)


def _drawn(reader: Reader) -> str:
    drawn = reader.connection.sql("select chosen_key, rejected_key from drawn where reason is null").pl()
    return checksum_of_keys(drawn["chosen_key"], drawn["rejected_key"])


def ends(folder: Path, out: Path) -> str:
    """Take the best and the worst of the base's own answers to every prompt."""
    del out
    with _store(folder).reader() as reader:
        seq = _keep_eligible(reader)
        competing: dict[str, Any] = {"sources": [BASE_KEY], "everybody": False, "prompt_key": None}
        reader.keep("to_score", "pairs/to_score_competing", snapshot_seq=seq, **competing)
        reader.keep(
            "scored",
            "pairs/scored",
            snapshot_seq=seq,
            judge=JUDGE,
            rubric=RUBRIC.name,
            dimensions=[DIMENSION],
            people_first=True,
            calibrations=[],
        )
        reader.keep(
            "drawn",
            "pairs/draw_max_min",
            pool=POOL,
            snapshot_seq=seq,
            sources=[BASE_KEY],
            n_rounds=1,
            ties="draw",
            best_seed=END_SEEDS["chosen"],
            worst_seed=END_SEEDS["rejected"],
        )
        return _drawn(reader)


def shape(folder: Path, out: Path) -> str:
    """Compute G1 and G2 of every prompt's scores."""
    del out
    with _store(folder).reader() as reader:
        found = reader.connection.sql(SHAPE).pl()
    return checksum_of_moments(found["skewness"].drop_nulls(), found["kurtosis"].drop_nulls())


def build(folder: Path, out: Path) -> str:
    """Draw, store and export the pairs with their texts, as `tso-data build-pairs` and `export --to parquet` do."""
    del folder
    store = Store.open(out / "store.duckdb")
    with store.run(Run("benchmarks")) as run:
        build_pairs(store, "b", base=BASE, recipe=BUILT_IN["weighted"].with_options(minibatches=1), run=run)
    with store.run(Run("benchmarks")) as run:
        report = export_build(store, "b", to="parquet", out=out / "pairs", run=run)
    (path,) = (out / "pairs" / file.path for file in report.files if file.path.endswith(".parquet"))
    ids = pl.read_parquet(path, columns=["chosen_response_id", "rejected_response_id"])
    keys = ids.select(pl.all().str.tail(16).str.to_integer(base=16, dtype=pl.UInt64))
    return checksum_of_keys(*keys)


def import_parquet(folder: Path, out: Path) -> str:
    """Import rows of Parquet into a new store."""
    return _import(folder / "rows.parquet", out)


def import_jsonl(folder: Path, out: Path) -> str:
    """Import rows of JSON lines into a new store."""
    return _import(folder / "rows.jsonl", out)


def _import(path: Path, out: Path) -> str:
    store = Store.open(out / "store.duckdb", create=True)
    with store.run(Run("benchmarks")) as run:
        import_files(store, "records", [path], run=run, options=ImportOptions(dataset=DATASET))
    with store.reader() as reader:
        keys = reader.connection.sql("select prompt_key, response_key from responses").pl()
    return checksum_of_keys(keys["prompt_key"], keys["response_key"])


def build_in_one_gigabyte(folder: Path, out: Path) -> str:
    """Build and export with DuckDB held to 1 GB."""
    os.environ["TSO_MEMORY"] = "1GB"
    return build(folder, out)
