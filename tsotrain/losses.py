"""The losses, one pure function per equation: log-ratios of both sides in, one loss per pair out, in nats.

`sft`, `rrhf` and `pro` take log-probabilities, for they compare with no reference. Dimensions: B pairs, records or
lists; R answers of the longest list. A log-ratio is `log policy(y|x) - log reference(y|x)`, summed over the tokens of
the response; a reward is beta times a log-ratio. Our text of the paper lacks the body of Eq. 10: `dual_clip` holds
readings of it.
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


def rrhf(logps_BR: Tensor, lengths_BR: Tensor) -> Tensor:
    """Return the RRHF loss of each list, shape (B,), of Yuan et al. (2023).

    With p_i the mean log-probability of answer i's tokens, the best answer first,

        sum over i < j of max(0, p_j - p_i)  -  log policy(y_1|x)

    The last term is summed over the best answer's tokens, as in the paper; its authors' code takes their mean. An
    answer of length 0 is not there.
    """
    p_BR = logps_BR / lengths_BR.clamp(min=1)
    excess_BRR = (p_BR[:, None, :] - p_BR[:, :, None]).clamp(min=0)  # by the better one, then by the worse one
    is_below_BRR = (lengths_BR > 0)[:, None, :].expand_as(excess_BRR).triu(1)
    return excess_BRR.where(is_below_BRR, 0).sum(dim=(1, 2)) - logps_BR[:, 0]


def pro(logps_BR: Tensor, lengths_BR: Tensor, *, sft_weight: float) -> Tensor:
    """Return the PRO loss of each list, shape (B,), of Song et al. (2023), without its temperatures.

    With p_k the mean log-probability of answer k's tokens, the best of n answers first,

        - sum over k < n of log(exp p_k / sum over i >= k of exp p_i)  -  sft_weight (n - 1)^2 log policy(y_1|x)

    An answer of length 0 is not there.
    """
    p_BR = logps_BR / lengths_BR.clamp(min=1)
    is_there_BR = lengths_BR > 0
    rivals_BRR = is_there_BR[:, None, :].expand(-1, p_BR.shape[1], -1).triu(1)  # of each answer: those below it
    itself_RR = torch.eye(p_BR.shape[1], dtype=torch.bool, device=p_BR.device)
    among_BRR = p_BR[:, None, :].where(rivals_BRR | itself_RR, -torch.inf)
    listwise_B = (among_BRR.logsumexp(dim=2) - p_BR).sum(dim=1)  # whoever has no rival adds nothing
    return listwise_B - sft_weight * (is_there_BR.sum(dim=1) - 1) ** 2 * logps_BR[:, 0]


def clipped(ratios: LogRatios, *, chosen_margin: float, rejected_margin: float) -> tuple[Tensor, Tensor]:
    """Return which chosen and which rejected sides are clipped, shape (B,) each, boolean."""
    return ratios.chosen > chosen_margin, ratios.rejected < -rejected_margin


def gradient_scale(ratios: LogRatios, *, beta: float) -> Tensor:
    """Return the scale of DPO's gradient on each pair, beta * sigma(reward of rejected - of chosen), shape (B,).

    App. D.1: with one fixed reference it falls to near zero early in training.
    """
    return beta * torch.sigmoid(beta * (ratios.rejected - ratios.chosen))
