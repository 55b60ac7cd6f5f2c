"""Supervised tuning on chat records: of the judge on corrected scores (Sec. 3.2), of a policy on RAFT or ReST sets.

The records go through the same packing, attention and head as pairs do: a record is a prompt with one response.
Dimensions: B records of a step, with R = 1 response each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from tsotrain import losses
from tsotrain.batching import Example
from tsotrain.objectives import Score
from tsotrain.references import reference_key
from tsotrain.tokens import Tokenized
from tsotrain.training import Outcome, Session


@dataclass(frozen=True, slots=True)
class TuningObjective:
    """The objective of supervised tuning: every response token weighs the same."""

    examples: Sequence[Example]
    held_out: Sequence[Example] = ()

    def size(self, places: Sequence[int]) -> int:
        """Return what the sum of the losses of a step is divided by: its response tokens."""
        return _n_response_tokens([self.examples[place] for place in places])

    def losses(self, logps_BR: Tensor, places: Sequence[int]) -> Tensor:  # noqa: ARG002  those of pairs need them
        """Return the loss of each record, shape (B,), summed over its tokens."""
        return losses.sft(logps_BR[:, 0])

    def figures(self, logps_BR: Tensor, loss_B: Tensor, places: Sequence[int]) -> dict[str, Any]:  # noqa: ARG002
        """Return the figures of a step: its loss per response token, in nats."""
        n_tokens = self.size(places)
        return {"n_records": len(places), "n_response_tokens": n_tokens, "loss": float(loss_B.sum()) / n_tokens}

    def iter_feedback(self, logps_BR: Tensor, loss_B: Tensor, places: Sequence[int]) -> Iterator[dict[str, Any]]:  # noqa: ARG002
        """Yield the loss of each record, per token: which are hard to learn, or wrong."""
        for place, loss in zip(places, loss_B.tolist(), strict=True):
            example = self.examples[place]
            yield {"record_id": example.example_id, "loss": loss / len(example.responses[0])}

    def epoch_figures(self, score: Score) -> dict[str, float]:
        """Return the loss per response token of the held-out records, in nats, where there are any."""
        if not self.held_out:
            return {}
        loss_B = losses.sft(score(self.held_out)[:, 0])
        return {"held_out_loss": float(loss_B.sum()) / _n_response_tokens(self.held_out)}

    def line(self, figures: dict[str, Any]) -> str:
        """Return a step's figures for people."""
        held_out = figures.get("held_out_loss")
        return f"loss {figures['loss']:.4f}" + (f"  held out {held_out:.4f}" if held_out is not None else "")


def _n_response_tokens(examples: Sequence[Example]) -> int:
    return sum(len(response) for example in examples for response in example.responses)


def tune(session: Session, found: Tokenized) -> Outcome:
    """Tune a model on records, and return where it is. Run again, it goes on or is done already.

    Raises:
        TrainError: the model cannot be used or the disk refuses.
        DivergedError: the loss or the gradient is no number, or the gradient has exploded.
        KeyboardInterrupt: a signal has ended it, at a checkpoint.
    """
    origin = session.hash_of(session.origin)
    identity = {
        "policy": origin,
        "records": reference_key(origin, found.examples, session.precision),
        "held_out": reference_key(origin, found.held_out, session.precision),
    }
    policy = session.begin(identity, [*found.examples, *found.held_out])
    if isinstance(policy, Outcome):
        return policy
    return session.train(policy, TuningObjective(found.examples, found.held_out), origin_sha256=origin)
