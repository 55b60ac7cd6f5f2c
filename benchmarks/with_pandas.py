"""The tasks in pandas, from Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.problem import (
    BASE_KEY,
    END_SEEDS,
    SEEDS,
    SIDES,
    WEIGHTS,
    arrivals,
    checksum_of_keys,
    checksum_of_moments,
    hashes64,
)
from benchmarks.rows import keys_of_row


def _drawn(folder: Path) -> Any:
    answers = pd.read_parquet(folder / "answers.parquet", columns=["prompt_key", "response_key", "source_key"])
    drawn = {}
    for side in SIDES:
        runners = answers[answers["source_key"].isin(list(WEIGHTS[side]))].reset_index(drop=True)
        weights = runners["source_key"].map(WEIGHTS[side]).to_numpy().astype(np.float64)
        runners["arrival"] = arrivals(runners["response_key"].to_numpy(), SEEDS[side], weights)
        first = runners.loc[runners.groupby("prompt_key")["arrival"].idxmin()]
        drawn[f"{side}_key"] = first.set_index("prompt_key")["response_key"]
    return pd.DataFrame(drawn).reset_index()


def draw(folder: Path, out: Path) -> str:
    """Draw a chosen and a rejected answer for every prompt."""
    del out
    drawn = _drawn(folder)
    return checksum_of_keys(drawn["chosen_key"], drawn["rejected_key"])


def build(folder: Path, out: Path) -> str:
    """Draw, join the texts, drop equal scores, and write Parquet by prompt."""
    pairs = _drawn(folder)
    answers = pd.read_parquet(folder / "answers.parquet", columns=["response_key", "text", "value"])
    for side in SIDES:
        names = {"response_key": f"{side}_key", "text": side, "value": f"{side}_score"}
        pairs = pairs.merge(answers.rename(columns=names), on=f"{side}_key")
    pairs = pairs[pairs["chosen_score"] != pairs["rejected_score"]]
    prompts = pd.read_parquet(folder / "prompts.parquet").rename(columns={"text": "prompt"})
    pairs = pairs.merge(prompts, on="prompt_key").sort_values("prompt_key")
    pairs.to_parquet(out / "pairs.parquet", compression="zstd", index=False)
    return checksum_of_keys(pairs["chosen_key"], pairs["rejected_key"])


def shape(folder: Path, out: Path) -> str:
    """Compute G1 and G2 of every prompt's scores."""
    del out
    grouped = pd.read_parquet(folder / "scores.parquet", columns=["prompt_key", "value"]).groupby("prompt_key")["value"]
    return checksum_of_moments(grouped.skew(), grouped.kurt())


def ends(folder: Path, out: Path) -> str:
    """Take the best and the worst of the base's own answers to every prompt."""
    del out
    scores = pd.read_parquet(folder / "scores.parquet")
    own = scores[scores["source_key"] == BASE_KEY].copy()
    keys = own["response_key"].to_numpy()
    found = {}
    for side, rising in (("chosen", False), ("rejected", True)):
        own["place"] = hashes64(keys, END_SEEDS[side])
        first = own.sort_values(["value", "place"], ascending=[rising, True]).drop_duplicates("prompt_key")
        found[side] = first.set_index("prompt_key")["response_key"]
    both = pd.DataFrame(found)
    both = both[both["chosen"] != both["rejected"]]
    return checksum_of_keys(both["chosen"], both["rejected"])


def import_parquet(folder: Path, out: Path) -> str:
    """Give keys to rows of Parquet, and write them down."""
    return _import(pd.read_parquet(folder / "rows.parquet"), out)


def import_jsonl(folder: Path, out: Path) -> str:
    """Give keys to rows of JSON lines, and write them down."""
    text = dict.fromkeys(("prompt", "response", "human", "family", "version", "size"), str)
    return _import(pd.read_json(folder / "rows.jsonl", lines=True, dtype=text), out)


def _import(rows: Any, out: Path) -> str:
    plain = rows.astype(object).where(rows.notna(), None)
    keys = np.array([keys_of_row(row) for row in plain.to_dict("records")], dtype=np.uint64)
    rows["prompt_key"], rows["response_key"] = keys[:, 0], keys[:, 1]
    stored = rows.drop_duplicates("response_key")
    stored.to_parquet(out / "stored.parquet", compression="zstd", index=False)
    return checksum_of_keys(stored["prompt_key"], stored["response_key"])
