"""tso's trainer on the material: the reference's pass, and steps over all pairs."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

from benchmarks.train.material import N_STEPS
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


def train(folder: Path, out: Path, setting: str, clock: Callable[[], float]) -> dict[str, float]:
    """Return the seconds of the reference's pass and of a step but the first, and the first gradient's norm."""
    pairs = examples(folder)
    config = StageConfig(
        loss=LossConfig(name="dpo"),
        optimizer=OptimizerConfig(learning_rate=1e-6),
        batch_pairs=len(pairs),
        epochs=N_STEPS,
        precision=setting,
    )
    reference: list[float] = []
    steps: list[float] = []
    score = references.score_references

    def timed(*args: Any, **kwargs: Any) -> Any:
        started = clock()
        scored = score(*args, **kwargs)
        reference.append(clock() - started)
        return scored

    def say(line: str) -> None:
        if line.startswith("step "):
            steps.append(clock())

    with processes() as ours, mock.patch.object(references, "score_references", timed):
        train_stage(folder / "policy", pairs, out, config=config, ours=ours, say=say)
    first, *_ = read_log(out / "metrics.jsonl")
    step_s = median(later - earlier for earlier, later in pairwise(steps))
    return {"reference_s": sum(reference), "step_s": step_s, "gradient_norm": first["gradient_norm"]}
