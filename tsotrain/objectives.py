"""What the loop over steps asks of a kind of training: the loss of its examples, and what to tell of them.

Dimensions: B examples of a step, R responses of each; of lists R is that of the longest, and what a shorter one lacks
is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from torch import Tensor

from tsotrain.batching import Example

Score = Callable[[Sequence[Example]], Tensor]  # examples -> the log-probabilities of their responses, shape (B, R)


class Objective(Protocol):
    """One kind of training. `places` are the step's examples among all; log-probabilities are in nats."""

    @property
    def examples(self) -> Sequence[Example]:
        """Return all examples to train on."""

    def size(self, places: Sequence[int]) -> int:
        """Return what the sum of the losses of a step is divided by."""

    def losses(self, logps_BR: Tensor, places: Sequence[int]) -> Tensor:
        """Return the loss of each example, shape (B,), of some of the examples."""

    def figures(self, logps_BR: Tensor, loss_B: Tensor, places: Sequence[int]) -> dict[str, Any]:
        """Return the figures of a step, `loss` among them."""

    def iter_feedback(self, logps_BR: Tensor, loss_B: Tensor, places: Sequence[int]) -> Iterator[dict[str, Any]]:
        """Yield what a step did to each of its examples."""

    def epoch_figures(self, score: Score) -> dict[str, float]:
        """Return what is to be measured before the first step and at an epoch's end, if anything is."""

    def line(self, figures: dict[str, Any]) -> str:
        """Return a step's figures for people."""
