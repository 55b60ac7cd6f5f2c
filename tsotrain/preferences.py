"""What a stage makes of log-probabilities: log-ratios to its frozen reference, the loss of each pair, and figures.

Dimensions: B pairs; E examples, R = 2 responses of each, chosen and rejected.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from tsotrain import losses
from tsotrain.batching import Example
from tsotrain.config import LossConfig
from tsotrain.losses import LogRatios
from tsotrain.metrics import pair_figures, step_figures
from tsotrain.objectives import Score


def pair_loss(config: LossConfig, ratios: LogRatios, batch: Sequence[Example]) -> Tensor:
    """Return the loss of each pair, shape (B,), as the settings name it."""
    if config.name == "dpo":
        return losses.dpo(ratios, beta=config.beta)
    if config.name == "cdpo":
        return losses.cdpo(ratios, beta=config.beta, epsilon=config.epsilon)
    if config.name == "ipo":
        if config.ipo_mean:
            lengths = ratios.chosen.new_tensor([[len(response) for response in e.responses] for e in batch])
            ratios = losses.mean_ratios(ratios, lengths[:, 0], lengths[:, 1])
        return losses.ipo(ratios, tau=config.tau)
    assert config.name == "dual_clip"
    return losses.dual_clip(
        ratios,
        beta=config.beta,
        chosen_margin=config.chosen_margin,
        rejected_margin=config.rejected_margin,
        form=config.form,
    )


@dataclass(frozen=True, slots=True)
class PairObjective:
    """The objective of a stage: every pair weighs the same."""

    examples: Sequence[Example]
    reference_logps_ER: Tensor  # in nats, on the CPU
    loss: LossConfig

    def size(self, places: Sequence[int]) -> int:
        """Return what the sum of the losses of a step is divided by: its pairs."""
        return len(places)

    def losses(self, logps_BR: Tensor, places: Sequence[int]) -> Tensor:
        """Return the loss of each pair, shape (B,)."""
        return pair_loss(self.loss, self._ratios(logps_BR, places), self._batch(places))

    def figures(self, logps_BR: Tensor, loss_B: Tensor, places: Sequence[int]) -> dict[str, Any]:
        """Return the figures of a step."""
        figures = step_figures(self._ratios(logps_BR, places), loss_B, self._batch(places), self.loss)
        return {"n_pairs": len(places), **figures}

    def iter_feedback(self, logps_BR: Tensor, loss_B: Tensor, places: Sequence[int]) -> Iterator[dict[str, Any]]:
        """Yield what a step did to each of its pairs."""
        return pair_figures(self._ratios(logps_BR, places), loss_B, self._batch(places), self.loss)

    def epoch_figures(self, score: Score) -> dict[str, float]:  # noqa: ARG002  a stage holds no pairs out
        """Return the figures of an epoch's end: none."""
        return {}

    def line(self, figures: dict[str, Any]) -> str:
        """Return a step's figures for people."""
        return (
            f"loss {figures['loss']:.4f}  chosen {figures['chosen_reward']:+.3f}  "
            f"rejected {figures['rejected_reward']:+.3f}  accuracy {figures['accuracy']:.0%}  "
            f"clipped {figures['chosen_clipped']:.0%}/{figures['rejected_clipped']:.0%}"
        )

    def _batch(self, places: Sequence[int]) -> list[Example]:
        return [self.examples[place] for place in places]

    def _ratios(self, logps_BR: Tensor, places: Sequence[int]) -> LogRatios:
        ratios_BR = logps_BR - self.reference_logps_ER[list(places)].to(logps_BR.device)
        return LogRatios(ratios_BR[:, 0], ratios_BR[:, 1])
