"""What a step did: figures per step in metrics.jsonl, and per pair in feedback.jsonl.

A line is written once its step is done; a resumed stage cuts both files back to the step that it goes on from.
Dimensions: B pairs of a step.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor

from tsotrain import losses
from tsotrain.batching import Example
from tsotrain.config import LossConfig
from tsotrain.losses import LogRatios


def step_figures(ratios: LogRatios, loss_B: Tensor, batch: Sequence[Example], config: LossConfig) -> dict[str, float]:
    """Return the figures of a step: per side the reward, the log-ratio in nats and the share clipped, and the rest.

    `kl` is the mean log-ratio per response token: an estimate of the divergence from the reference on these texts,
    which the policy did not sample.
    """
    chosen_B, rejected_B = ratios
    is_chosen_clipped, is_rejected_clipped = _clipped(ratios, config)
    lengths_B = loss_B.new_tensor([sum(map(len, example.responses)) for example in batch])
    return {
        "loss": float(loss_B.mean()),
        "chosen_reward": config.beta * float(chosen_B.mean()),
        "rejected_reward": config.beta * float(rejected_B.mean()),
        "margin": config.beta * float((chosen_B - rejected_B).mean()),
        "chosen_log_ratio": float(chosen_B.mean()),
        "rejected_log_ratio": float(rejected_B.mean()),
        "chosen_clipped": float(is_chosen_clipped.float().mean()),
        "rejected_clipped": float(is_rejected_clipped.float().mean()),
        "gradient_scale": float(losses.gradient_scale(ratios, beta=config.beta).mean()),
        "accuracy": float((chosen_B > rejected_B).float().mean()),
        "kl": float(((chosen_B + rejected_B) / lengths_B).mean()),
    }


def pair_figures(
    ratios: LogRatios, loss_B: Tensor, batch: Sequence[Example], config: LossConfig
) -> Iterator[dict[str, Any]]:
    """Yield what a step did to each of its pairs."""
    is_chosen_clipped, is_rejected_clipped = _clipped(ratios, config)
    columns = (ratios.chosen, ratios.rejected, is_chosen_clipped, is_rejected_clipped, loss_B)
    rows = zip(batch, *(column.tolist() for column in columns), strict=True)
    for example, chosen, rejected, chosen_clipped, rejected_clipped, loss in rows:
        yield {
            "pair_id": example.example_id,
            "chosen_reward": config.beta * chosen,
            "rejected_reward": config.beta * rejected,
            "chosen_clipped": chosen_clipped,
            "rejected_clipped": rejected_clipped,
            "loss": loss,
        }


def _clipped(ratios: LogRatios, config: LossConfig) -> tuple[Tensor, Tensor]:
    """Return which sides the loss clips; only the dual clip loss does."""
    margins = (config.chosen_margin, config.rejected_margin) if config.name == "dual_clip" else (float("inf"),) * 2
    return losses.clipped(ratios, chosen_margin=margins[0], rejected_margin=margins[1])


class StepLog:
    """A file of JSON lines, each with its step."""

    def __init__(self, path: Path, *, after_step: int) -> None:
        """Open the file, keeping the lines of steps up to `after_step`."""
        kept = [line for line in read_log(path) if line["step"] <= after_step]
        partial = path.with_suffix(".partial")
        partial.write_text("".join(f"{json.dumps(line)}\n" for line in kept), encoding="utf-8")
        partial.replace(path)
        self._file = path.open("a", encoding="utf-8")

    def write(self, lines: Sequence[dict[str, Any]]) -> None:
        """Write lines, and have them on the disk."""
        self._file.writelines(f"{json.dumps(line)}\n" for line in lines)
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@contextmanager
def opened_logs(folder: Path, *, after_step: int) -> Iterator[tuple[StepLog, StepLog]]:
    """Open a training's metrics and feedback, cut back to a step; at 0 nothing is kept, for all begins anew."""
    metrics, feedback = (
        StepLog(folder / name, after_step=after_step or -1) for name in ("metrics.jsonl", "feedback.jsonl")
    )
    try:
        yield metrics, feedback
    finally:
        metrics.close()
        feedback.close()


def read_log(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a log; one that a kill has cut off is left out."""
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            lines.append(json.loads(text))
        except ValueError:
            break
    return lines
