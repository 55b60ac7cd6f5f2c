"""The tasks with `datasets.map`, one prompt or row a call. Grouping answers by prompt beforehand is not counted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from datasets import Dataset, disable_progress_bars
from scipy import stats

from benchmarks.problem import (
    BASE_KEY,
    END_SEEDS,
    SEEDS,
    SIDES,
    WEIGHTS,
    arrival,
    checksum_of_keys,
    checksum_of_moments,
    hash64,
)
from benchmarks.rows import keys_of_row

Example = dict[str, Any]
os.environ["HF_HUB_OFFLINE"] = "1"
disable_progress_bars()


def group(folder: Path, out: Path) -> None:
    """Write one row per prompt, with its answers as lists."""
    import polars as pl

    answers = pl.scan_parquet(folder / "answers.parquet").group_by("prompt_key", maintain_order=True).agg(pl.all())
    prompts = pl.scan_parquet(folder / "prompts.parquet").rename({"text": "prompt"})
    answers.join(prompts, on="prompt_key").collect().write_parquet(out / "grouped.parquet")


def _grouped(out: Path, *columns: str) -> Any:
    return Dataset.from_parquet(str(out / "grouped.parquet"), cache_dir=str(out / "cache"), columns=list(columns))


def _checksum(found: Any, *names: str) -> str:
    """Return the checksum of keys that stand as text, because a new column of whole numbers holds 63 bits only."""
    return checksum_of_keys(*([int(key) for key in found[name][:]] for name in names))


def _pair(example: Example) -> Example:
    drawn = {}
    for side in SIDES:
        runners = [
            (arrival(answer, SEEDS[side], WEIGHTS[side][source]), place)
            for place, (answer, source) in enumerate(zip(example["response_key"], example["source_key"], strict=True))
            if source in WEIGHTS[side]
        ]
        place = min(runners)[1]
        drawn[f"{side}_key"] = str(example["response_key"][place])
        if "text" in example:
            drawn |= {side: example["text"][place], f"{side}_score": example["value"][place]}
    return drawn


def draw(folder: Path, out: Path) -> str:
    """Draw a chosen and a rejected answer for every prompt."""
    del folder
    columns = ["response_key", "source_key"]
    drawn = _grouped(out, *columns).map(_pair, remove_columns=columns)
    return _checksum(drawn, "chosen_key", "rejected_key")


def build(folder: Path, out: Path) -> str:
    """Draw with the texts, drop equal scores, and write Parquet."""
    del folder
    columns = ["response_key", "source_key", "value", "text"]
    grouped = _grouped(out, "prompt", *columns)
    pairs = grouped.map(_pair, remove_columns=columns).filter(lambda row: row["chosen_score"] != row["rejected_score"])
    pairs.to_parquet(str(out / "pairs.parquet"))
    return _checksum(pairs, "chosen_key", "rejected_key")


def _moments(example: Example) -> Example:
    values = example["value"]
    return {"skewness": stats.skew(values, bias=False), "kurtosis": stats.kurtosis(values, bias=False)}


def shape(folder: Path, out: Path) -> str:
    """Compute G1 and G2 of every prompt's scores."""
    del folder
    found = _grouped(out, "value").map(_moments)
    return checksum_of_moments(found["skewness"][:], found["kurtosis"][:])


def _ends(example: Example) -> Example:
    own = [
        (value, answer)
        for value, answer, source in zip(example["value"], example["response_key"], example["source_key"], strict=True)
        if source == BASE_KEY
    ]
    best = min(own, key=lambda each: (-each[0], hash64(each[1], END_SEEDS["chosen"])))
    worst = min(own, key=lambda each: (each[0], hash64(each[1], END_SEEDS["rejected"])))
    return {"best": str(best[1]), "worst": str(worst[1])}


def ends(folder: Path, out: Path) -> str:
    """Take the best and the worst of the base's own answers to every prompt."""
    del folder
    columns = ["response_key", "source_key", "value"]
    found = _grouped(out, *columns).map(_ends, remove_columns=columns)
    found = found.filter(lambda row: row["best"] != row["worst"])
    return _checksum(found, "best", "worst")


def _with_keys(row: Example) -> Example:
    prompt, answer = keys_of_row(row)
    return {"prompt_key": str(prompt), "response_key": str(answer)}


def import_parquet(folder: Path, out: Path) -> str:
    """Give keys to rows of Parquet, and write them down."""
    return _import(Dataset.from_parquet(str(folder / "rows.parquet"), cache_dir=str(out / "cache")), out)


def import_jsonl(folder: Path, out: Path) -> str:
    """Give keys to rows of JSON lines, and write them down."""
    return _import(Dataset.from_json(str(folder / "rows.jsonl"), cache_dir=str(out / "cache")), out)


def _import(rows: Any, out: Path) -> str:
    stored = rows.map(_with_keys)
    stored.to_parquet(str(out / "stored.parquet"))
    return _checksum(stored, "prompt_key", "response_key")
