"""The losses, one pure function per equation: log-ratios of both sides in, one loss per pair out, in nats.

`sft` alone takes log-probabilities, for there is no other side. Dimensions: B pairs, or records. A log-ratio is
`log policy(y|x) - log reference(y|x)`, summed over the tokens of the response; a reward is beta times a log-ratio. Our
text of the paper lacks the body of Eq. 10: `dual_clip` holds readings of it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional


class LogRatios(NamedTuple):
    """Log-ratios of both sides, shape (B,) each, in nats, summed over the response's tokens."""

    chosen: Tensor
    rejected: Tensor


def dpo(ratios: LogRatios, *, beta: float) -> Tensor:
    """Return the DPO loss of each pair, shape (B,): Eq. 11, which is Eq. 7 of Rafailov et al. (2023)."""
    return -functional.logsigmoid(beta * (ratios.chosen - ratios.rejected))


def cdpo(ratios: LogRatios, *, beta: float, epsilon: float) -> Tensor:
    """Return the conservative DPO loss of each pair, shape (B,): Eq. 13.

    `epsilon` is the probability that a label is flipped. This is Mitchell's (2023) mixture of both labels, not the
    "robust" loss that divides by 1 - 2 epsilon.
    """
    margin_B = beta * (ratios.chosen - ratios.rejected)
    return -(1 - epsilon) * functional.logsigmoid(margin_B) - epsilon * functional.logsigmoid(-margin_B)


def ipo(ratios: LogRatios, *, tau: float) -> Tensor:
    """Return the IPO loss of each pair, shape (B,): Eq. 12, which is Eq. 17 of Azar et al. (2023).

    Over summed log-ratios, as in both papers. TRL divides each log-ratio by the length of its response first; that is
    this function on such ratios (`mean_ratios`).
    """
    return (ratios.chosen - ratios.rejected - 1 / (2 * tau)) ** 2


def mean_ratios(ratios: LogRatios, n_chosen_B: Tensor, n_rejected_B: Tensor) -> LogRatios:
    """Return the log-ratios per response token, from the numbers of tokens of both sides, shape (B,)."""
    return LogRatios(ratios.chosen / n_chosen_B, ratios.rejected / n_rejected_B)


def dual_clip(
    ratios: LogRatios, *, beta: float, chosen_margin: float, rejected_margin: float, form: str = "separate"
) -> Tensor:
    """Return the dual clip reward loss of each pair, shape (B,): Eq. 10. The margins are in nats of log-ratio.

    Each side is clipped on its own, the chosen one from above and the rejected one from below; a clipped side has
    exactly zero gradient. Readings, by `form`:

        separate   -log sigma(beta min(Dc, mc)) - log sigma(-beta max(Dr, -mr))      no coupling of the sides
        joint      -log sigma(beta min(Dc, mc) - beta max(Dr, -mr))              DPO until a side is clipped
        linear     -(min(beta Dc, beta mc) + min(-beta Dr, beta mr))
    """
    chosen_B = beta * ratios.chosen.clamp(max=chosen_margin)
    rejected_B = beta * ratios.rejected.clamp(min=-rejected_margin)
    if form == "separate":
        return -functional.logsigmoid(chosen_B) - functional.logsigmoid(-rejected_B)
    if form == "joint":
        return -functional.logsigmoid(chosen_B - rejected_B)
    return rejected_B - chosen_B


def sft(logps_B: Tensor) -> Tensor:
    """Return the negative log-likelihood of each response, shape (B,), summed over its tokens.

    A step's loss is their sum divided by the response tokens of the whole step, counted before it: every token weighs
    the same, however a batch is cut up and whoever holds which part of it.
    """
    return -logps_B


def clipped(ratios: LogRatios, *, chosen_margin: float, rejected_margin: float) -> tuple[Tensor, Tensor]:
    """Return which chosen and which rejected sides are clipped, shape (B,) each, boolean."""
    return ratios.chosen > chosen_margin, ratios.rejected < -rejected_margin


def gradient_scale(ratios: LogRatios, *, beta: float) -> Tensor:
    """Return the scale of DPO's gradient on each pair, beta * sigma(reward of rejected - of chosen), shape (B,).

    App. D.1: with one fixed reference it falls to near zero early in training.
    """
    return beta * torch.sigmoid(beta * (ratios.rejected - ratios.chosen))
