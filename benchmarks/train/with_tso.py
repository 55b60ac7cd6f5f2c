"""tso's trainer on the material: one step over all pairs, and the reference's pass before it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.costs import cpu_s
from tsotrain import references
from tsotrain.batching import Example
from tsotrain.config import LossConfig, OptimizerConfig, StageConfig
from tsotrain.learning import train_stage
from tsotrain.metrics import read_log
from tsotrain.parallel import processes

EOS = 2


def examples(folder: Path) -> list[Example]:
    """Return the pairs, each response with its end token, as TRL adds it."""
    pairs = json.loads((folder / "pairs.json").read_text(encoding="utf-8"))
    return [
        Example(str(place), tuple(pair["prompt"]), ((*pair["chosen"], EOS), (*pair["rejected"], EOS)))
        for place, pair in enumerate(pairs)
    ]


def train(folder: Path, out: Path, setting: str) -> dict[str, float]:
    """Return the processor seconds of the reference's pass and of the step, and the gradient's norm."""
    pairs = examples(folder)
    config = StageConfig(
        loss=LossConfig(name="dpo"),
        optimizer=OptimizerConfig(learning_rate=1e-6),
        batch_pairs=len(pairs),
        epochs=1,
        precision=setting,
    )
    times: dict[str, float] = {}
    score = references.score_references

    def timed(*args: Any, **kwargs: Any) -> Any:
        times["begin"] = cpu_s()
        scored = score(*args, **kwargs)
        times["scored"] = cpu_s()
        return scored

    def say(line: str) -> None:
        times[line.split(maxsplit=1)[0]] = cpu_s()

    with processes() as ours, mock.patch.object(references, "score_references", timed):
        train_stage(folder / "policy", pairs, out, config=config, ours=ours, say=say)
    (figures,) = read_log(out / "metrics.jsonl")
    return {
        "reference_s": times["scored"] - times["begin"],
        "step_s": times["step"] - times["scored"],
        "gradient_norm": figures["gradient_norm"],
    }
