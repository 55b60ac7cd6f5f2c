"""The tasks in polars, lazily, on the streaming engine, from Parquet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.problem import (
    BASE_KEY,
    END_SEEDS,
    MULTIPLIERS,
    SEEDS,
    SIDES,
    WEIGHTS,
    checksum_of_keys,
    checksum_of_moments,
)
from benchmarks.rows import keys_of_row

KEYS = ["prompt_key", "response_key", "source_key"]


def _hash64(seed: int) -> pl.Expr:
    first, second, third = (pl.lit(multiplier, pl.UInt64) for multiplier in MULTIPLIERS)
    z = pl.col("response_key") * first + pl.lit(seed, pl.UInt64)
    z = (z ^ (z // 2**30)) * second  # a shift; polars has none
    z = (z ^ (z // 2**27)) * third
    return z ^ (z // 2**31)


def _arrival(side: str) -> pl.Expr:
    weight = pl.col("source_key").replace_strict(WEIGHTS[side], default=None, return_dtype=pl.Float64)
    uniform = ((_hash64(SEEDS[side]) // 2**11).cast(pl.Float64) + 0.5) * 2**-53
    return (-uniform.log() / weight).fill_null(np.inf)


def _drawn(folder: Path) -> pl.LazyFrame:
    roles = pl.Series([source for side in SIDES for source in WEIGHTS[side]], dtype=pl.UInt64)
    return (
        pl.scan_parquet(folder / "answers.parquet")
        .select(KEYS)
        .filter(pl.col("source_key").is_in(roles.implode()))
        .with_columns(**{side: _arrival(side) for side in SIDES})
        .group_by("prompt_key")
        .agg(**{f"{side}_key": pl.col("response_key").min_by(side) for side in SIDES})
    )


def draw(folder: Path, out: Path) -> str:
    """Draw a chosen and a rejected answer for every prompt."""
    del out
    drawn = _drawn(folder).collect()
    return checksum_of_keys(drawn["chosen_key"], drawn["rejected_key"])


def build(folder: Path, out: Path) -> str:
    """Draw, join the texts, drop equal scores, and write Parquet by prompt."""
    answers = pl.scan_parquet(folder / "answers.parquet").select("response_key", "text", "value")
    pairs = _drawn(folder)
    for side in SIDES:
        texts = answers.rename({"response_key": f"{side}_key", "text": side, "value": f"{side}_score"})
        pairs = pairs.join(texts, on=f"{side}_key")
    prompts = pl.scan_parquet(folder / "prompts.parquet").rename({"text": "prompt"})
    pairs = pairs.filter(pl.col("chosen_score") != pl.col("rejected_score")).join(prompts, on="prompt_key")
    pairs.sort("prompt_key").sink_parquet(out / "pairs.parquet", compression="zstd")
    keys = pl.read_parquet(out / "pairs.parquet", columns=["chosen_key", "rejected_key"])
    return checksum_of_keys(keys["chosen_key"], keys["rejected_key"])


def shape(folder: Path, out: Path) -> str:
    """Compute G1 and G2 of every prompt's scores."""
    del out
    value = pl.col("value")
    found = (
        pl.scan_parquet(folder / "scores.parquet")
        .select("prompt_key", "value")
        .group_by("prompt_key")
        .agg(skewness=value.skew(bias=False), kurtosis=value.kurtosis(bias=False))
        .collect()
    )
    return checksum_of_moments(found["skewness"], found["kurtosis"])


def ends(folder: Path, out: Path) -> str:
    """Take the best and the worst of the base's own answers to every prompt."""
    del out
    own = (
        pl.scan_parquet(folder / "scores.parquet")
        .filter(pl.col("source_key") == pl.lit(BASE_KEY, pl.UInt64))
        .with_columns(**{side: _hash64(END_SEEDS[side]) for side in SIDES})
    )
    value = pl.col("value")
    found = (
        own.group_by("prompt_key")
        .agg(
            best=pl.col("response_key")
            .filter(value == value.max())
            .min_by(pl.col("chosen").filter(value == value.max())),
            worst=pl.col("response_key")
            .filter(value == value.min())
            .min_by(pl.col("rejected").filter(value == value.min())),
        )
        .filter(pl.col("best") != pl.col("worst"))
        .collect()
    )
    return checksum_of_keys(found["best"], found["worst"])


def import_parquet(folder: Path, out: Path) -> str:
    """Give keys to rows of Parquet, and write them down."""
    return _import(pl.read_parquet(folder / "rows.parquet"), out)


def import_jsonl(folder: Path, out: Path) -> str:
    """Give keys to rows of JSON lines, and write them down."""
    return _import(pl.read_ndjson(folder / "rows.jsonl"), out)


def _import(rows: pl.DataFrame, out: Path) -> str:
    keys = pl.DataFrame(
        [keys_of_row(row) for row in rows.iter_rows(named=True)],
        schema={"prompt_key": pl.UInt64, "response_key": pl.UInt64},
        orient="row",
    )
    stored = rows.with_columns(keys).unique("response_key", keep="first", maintain_order=True)
    stored.write_parquet(out / "stored.parquet", compression="zstd")
    return checksum_of_keys(stored["prompt_key"], stored["response_key"])
