"""The tasks as plain Python loops over rows, with scipy for the moments."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet
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


def _rows(path: Path, *columns: str) -> Iterator[tuple[Any, ...]]:
    for batch in parquet.ParquetFile(path).iter_batches(columns=list(columns)):
        yield from zip(*(batch[column].to_pylist() for column in columns), strict=True)


def _drawn(folder: Path) -> dict[int, tuple[int, int]]:
    first: dict[str, dict[int, tuple[float, int]]] = {side: {} for side in SIDES}
    for prompt, answer, source in _rows(folder / "answers.parquet", "prompt_key", "response_key", "source_key"):
        for side in SIDES:
            weight = WEIGHTS[side].get(source)
            if weight:
                runner = (arrival(answer, SEEDS[side], weight), answer)
                first[side][prompt] = min(first[side].get(prompt, runner), runner)
    chosen, rejected = first["chosen"], first["rejected"]
    return {prompt: (chosen[prompt][1], rejected[prompt][1]) for prompt in chosen if prompt in rejected}


def draw(folder: Path, out: Path) -> str:
    """Draw a chosen and a rejected answer for every prompt."""
    del out
    pairs = _drawn(folder).values()
    return checksum_of_keys([chosen for chosen, _ in pairs], [rejected for _, rejected in pairs])


def build(folder: Path, out: Path) -> str:
    """Draw, look up the texts, drop equal scores, and write Parquet by prompt."""
    answers = {
        key: (text, value) for key, text, value in _rows(folder / "answers.parquet", "response_key", "text", "value")
    }
    prompts = dict(_rows(folder / "prompts.parquet", "prompt_key", "text"))
    rows = [
        {
            "prompt": prompts[prompt],
            "chosen": answers[chosen][0],
            "rejected": answers[rejected][0],
            "chosen_key": chosen,
            "rejected_key": rejected,
        }
        for prompt, (chosen, rejected) in sorted(_drawn(folder).items())
        if answers[chosen][1] != answers[rejected][1]
    ]
    text, key = pa.string(), pa.uint64()
    schema = pa.schema(
        [("prompt", text), ("chosen", text), ("rejected", text), ("chosen_key", key), ("rejected_key", key)]
    )
    parquet.write_table(pa.Table.from_pylist(rows, schema), out / "pairs.parquet", compression="zstd")
    return checksum_of_keys([row["chosen_key"] for row in rows], [row["rejected_key"] for row in rows])


def shape(folder: Path, out: Path) -> str:
    """Compute G1 and G2 of every prompt's scores, with two calls of scipy for each."""
    del out
    scores: dict[int, list[float]] = {}
    for prompt, value in _rows(folder / "scores.parquet", "prompt_key", "value"):
        scores.setdefault(prompt, []).append(value)
    skewness = [float(stats.skew(values, bias=False)) for values in scores.values()]
    kurtosis = [float(stats.kurtosis(values, bias=False)) for values in scores.values()]
    return checksum_of_moments(np.array(skewness), np.array(kurtosis))


def ends(folder: Path, out: Path) -> str:
    """Take the best and the worst of the base's own answers to every prompt."""
    del out
    best: dict[int, tuple[float, int, int]] = {}
    worst: dict[int, tuple[float, int, int]] = {}
    columns = ("prompt_key", "response_key", "source_key", "value")
    for prompt, answer, source, value in _rows(folder / "scores.parquet", *columns):
        if source != BASE_KEY:
            continue
        high = (-value, hash64(answer, END_SEEDS["chosen"]), answer)
        low = (value, hash64(answer, END_SEEDS["rejected"]), answer)
        best[prompt] = min(best.get(prompt, high), high)
        worst[prompt] = min(worst.get(prompt, low), low)
    pairs = [(best[prompt][2], worst[prompt][2]) for prompt in best if best[prompt][2] != worst[prompt][2]]
    return checksum_of_keys([chosen for chosen, _ in pairs], [rejected for _, rejected in pairs])


def import_parquet(folder: Path, out: Path) -> str:
    """Give keys to rows of Parquet, and write them down."""
    return _import(parquet.read_table(folder / "rows.parquet").to_pylist(), out)


def import_jsonl(folder: Path, out: Path) -> str:
    """Give keys to rows of JSON lines, and write them down."""
    with (folder / "rows.jsonl").open(encoding="utf-8") as lines:
        return _import([json.loads(line) for line in lines], out)


def _import(rows: list[dict[str, Any]], out: Path) -> str:
    stored: dict[int, int] = {}
    for row in rows:
        prompt, answer = keys_of_row(row)
        stored.setdefault(answer, prompt)
        row.update(prompt_key=prompt, response_key=answer)
    with (out / "stored.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(row)}\n" for row in rows)
    return checksum_of_keys(list(stored.values()), list(stored))
