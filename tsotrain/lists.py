"""Ranked lists: a prompt's answers, the best first, learnt from their order and their best (RRHF, PRO).

There is no reference: both losses compare the policy's own mean log-probabilities. Dimensions: B lists of a step, with
at most R answers each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from tsotrain import losses
from tsotrain.batching import Example, response_lengths
from tsotrain.config import LossConfig
from tsotrain.objectives import Score


def list_loss(config: LossConfig, logps_BR: Tensor, lengths_BR: Tensor) -> Tensor:
    """Return the loss of each list, shape (B,), as the settings name it."""
    if config.name == "rrhf":
        return losses.rrhf(logps_BR, lengths_BR)
    assert config.name == "pro"
    return losses.pro(logps_BR, lengths_BR, sft_weight=config.pro_sft_weight)


@dataclass(frozen=True, slots=True)
class ListObjective:
    """The objective of a stage on ranked lists: every list weighs the same."""

    examples: Sequence[Example]
    loss: LossConfig

    def size(self, places: Sequence[int]) -> int:
        """Return what the sum of the losses of a step is divided by: its lists."""
        return len(places)

    def losses(self, logps_BR: Tensor, places: Sequence[int]) -> Tensor:
        """Return the loss of each list, shape (B,)."""
        return list_loss(self.loss, logps_BR, self._lengths(places).to(logps_BR.device))

    def figures(self, logps_BR: Tensor, loss_B: Tensor, places: Sequence[int]) -> dict[str, Any]:
        """Return the figures of a step: its mean loss, and the share of answers in order with their next."""
        lengths_BR = self._lengths(places)
        p_BR = logps_BR / lengths_BR.clamp(min=1)
        has_next = lengths_BR[:, 1:] > 0
        in_order = (p_BR[:, :-1] > p_BR[:, 1:])[has_next]
        return {"n_lists": len(places), "loss": float(loss_B.mean()), "accuracy": float(in_order.float().mean())}

    def iter_feedback(self, logps_BR: Tensor, loss_B: Tensor, places: Sequence[int]) -> Iterator[dict[str, Any]]:
        """Yield the loss of each list, and its answers' mean log-probabilities in nats, the best answer's first."""
        p_BR = logps_BR / self._lengths(places).clamp(min=1)
        for place, loss, p_R in zip(places, loss_B.tolist(), p_BR.tolist(), strict=True):
            example = self.examples[place]
            yield {"prompt_id": example.example_id, "loss": loss, "mean_logps": p_R[: len(example.responses)]}

    def epoch_figures(self, score: Score) -> dict[str, float]:  # noqa: ARG002  a stage holds no lists out
        """Return the figures of an epoch's end: none."""
        return {}

    def line(self, figures: dict[str, Any]) -> str:
        """Return a step's figures for people."""
        return f"loss {figures['loss']:.4f}  in order {figures['accuracy']:.0%}"

    def _lengths(self, places: Sequence[int]) -> Tensor:
        return response_lengths([self.examples[place] for place in places])
