"""Log-probabilities of responses, and the gradient of a loss over them, without a (tokens x vocabulary) tensor.

The head runs over a bounded number of states at a time. A pair's loss depends on the sums of its responses' token
log-probabilities alone, and the reference's sums are known beforehand: so the gradient of a whole pair is known as soon
as its tokens are scored, and goes back while their logits are still there. Three matrix products a chunk, none of them
twice, but for an example that is longer than a chunk.

Dimensions: S states, D hidden size, V vocabulary, E responses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tsotrain.reusing import rounded

CHUNK_STATES = 512  # ours: best of 256 to 4096 on two CPU cores
CACHED_STATES = 16  # ours: best of 4 to 64, at 32,000 logits a state
CACHED_ROWS = 1000  # ours: of the head's weight
_LOG2_E = math.log2(math.e)
ExampleLoss = Callable[[Tensor, slice], Tensor]  # log-probabilities of a range of responses -> the sum of their losses


class _Group(NamedTuple):
    """Examples whose states are scored together: their places among the states and the responses."""

    states: slice
    responses: slice
    lengths: tuple[int, ...]


def _iter_groups(lengths: Sequence[tuple[int, ...]], chunk: int) -> Iterator[_Group]:
    start = first = n_states = 0
    group: list[int] = []
    for of_example in lengths:
        n_new = sum(of_example)
        if group and n_states + n_new > chunk:
            yield _Group(slice(start, start + n_states), slice(first, first + len(group)), tuple(group))
            start, first, n_states, group = start + n_states, first + len(group), 0, []
        group += of_example
        n_states += n_new
    if group:
        yield _Group(slice(start, start + n_states), slice(first, first + len(group)), tuple(group))


class Buffers:
    """What the head computes in. On a CPU it stays from one forward pass to the next: fresh pages take time there."""

    def __init__(self) -> None:
        self._kept: dict[str, Tensor] = {}

    def take(self, name: str, n_rows: int, like: Tensor, dtype: torch.dtype) -> Tensor:
        """Return a buffer of so many rows, each as long as a tensor's, with anything in it."""
        kept = self._kept.pop(name, None)
        if kept is None or len(kept) < n_rows or kept.shape[1] != like.shape[1] or kept.dtype != dtype:
            del kept
            kept = like.new_empty((n_rows, like.shape[1]), dtype=dtype)
        if like.device.type == "cpu":
            self._kept[name] = kept
        return kept[:n_rows]


class _Head:
    """The output layer with its buffers, over at most `chunk` states at a time.

    What stands between the matrix products goes through a few states at once on a CPU, so that they stay in its cache,
    and takes powers of 2, which cost torch a third of `exp` there.
    """

    def __init__(self, weight_VD: Tensor, dtype: torch.dtype, chunk: int, buffers: Buffers) -> None:
        self.weight_VD = weight_VD.detach().to(dtype)
        self.block = CACHED_STATES if weight_VD.device.type == "cpu" else chunk
        self.is_wide = dtype == torch.float32
        n_rows = rounded(chunk, weight_VD.device)
        self.hidden_CD = buffers.take("hidden", n_rows, self.weight_VD, dtype)
        self.logits_CV = buffers.take("logits", n_rows, self.weight_VD.t(), dtype)
        self.exps_CV = self.logits_CV
        if not self.is_wide:
            self.exps_CV = buffers.take("exps", n_rows, self.weight_VD.t(), torch.float32)

    def score(self, hidden_SD: Tensor, targets_S: Tensor) -> tuple[Tensor, Tensor]:
        """Return the log-probability of each target and the sum of exponentials; these stay in the buffer."""
        self.hidden_CD[: len(targets_S)] = hidden_SD
        filled_CD = _filled(self.hidden_CD, len(targets_S))
        torch.mm(filled_CD, self.weight_VD.t(), out=self.logits_CV[: len(filled_CD)])
        logps, sums = [], []
        for logits_BV, exps_BV, targets_B1 in self._blocks(targets_S):
            highest_B1 = logits_BV.amax(dim=1, keepdim=True).float()
            target_B1 = logits_BV.gather(1, targets_B1).float()
            if not self.is_wide:
                exps_BV.copy_(logits_BV)
            torch.sub(highest_B1 * -_LOG2_E, exps_BV, alpha=-_LOG2_E, out=exps_BV)
            sums_B1 = exps_BV.exp2_().sum(dim=1, keepdim=True)
            logps.append(target_B1 - highest_B1 - sums_B1.log())
            sums.append(sums_B1)
        return torch.cat(logps)[:, 0], torch.cat(sums)

    def gradient(self, weights_S: Tensor, sums_S1: Tensor, targets_S: Tensor) -> Tensor:
        """Return the gradient of `sum(weights * log-probabilities)` by the logits of the states scored last.

        Zero rows fill it up, as the states in `hidden_CD`.
        """
        weights_S1 = weights_S[:, None]
        factors = (-weights_S1 / sums_S1).split(self.block)
        weights = weights_S1.split(self.block)
        for (grads_BV, exps_BV, targets_B1), factors_B1, weights_B1 in zip(
            self._blocks(targets_S), factors, weights, strict=True
        ):
            exps_BV.mul_(factors_B1).scatter_add_(1, targets_B1, weights_B1)
            if not self.is_wide:
                grads_BV.copy_(exps_BV)
        return _filled(self.logits_CV, len(targets_S))

    def _blocks(self, targets_S: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        buffers = (buffer[: len(targets_S)].split(self.block) for buffer in (self.logits_CV, self.exps_CV))
        return zip(*buffers, targets_S[:, None].split(self.block), strict=True)


def _filled(buffer: Tensor, n_states: int) -> Tensor:
    """Return the rows of a buffer that a product is given: those of the states, and zeros that fill them up."""
    n_rows = rounded(n_states, buffer.device)
    buffer[n_states:n_rows] = 0
    return buffer[:n_rows]


def _add(total_VD: Tensor, part_VD: Tensor) -> None:
    """Add a part in bf16 to a total in float32; torch makes a float32 copy of the part, on a CPU of a few rows each."""
    n_rows = CACHED_ROWS if total_VD.device.type == "cpu" else len(total_VD)
    for total, part in zip(total_VD.split(n_rows), part_VD.split(n_rows), strict=True):
        total.add_(part)


def _summed(logps_S: Tensor, lengths: Sequence[int]) -> Tensor:
    return torch.stack([part.sum() for part in logps_S.split(list(lengths))])


@torch.no_grad()
def response_logprobs(
    hidden_SD: Tensor,
    weight_VD: Tensor,
    targets_S: Tensor,
    lengths: Sequence[tuple[int, ...]],
    *,
    buffers: Buffers | None = None,
    chunk: int = CHUNK_STATES,
) -> Tensor:
    """Return the log-probability of each response, summed over its tokens, shape (E,), in nats, in float32."""
    head = _Head(weight_VD, hidden_SD.dtype, min(chunk, len(targets_S)), buffers or Buffers())
    parts = zip(hidden_SD.split(chunk), targets_S.split(chunk), strict=True)
    logps_S = torch.cat([head.score(hidden, targets)[0] for hidden, targets in parts])
    return _summed(logps_S, [length for of_example in lengths for length in of_example])


class _HeadLoss(torch.autograd.Function):
    """The sum of the examples' losses; its gradients are ready when the forward pass ends."""

    @staticmethod
    def forward(  # noqa: PLR0917  torch passes by place
        ctx: Any,
        hidden_SD: Tensor,
        weight_VD: Tensor,
        targets_S: Tensor,
        lengths: Sequence[tuple[int, ...]],
        example_loss: ExampleLoss,
        buffers: Buffers,
        chunk: int,
    ) -> tuple[Tensor, Tensor]:
        groups = list(_iter_groups(lengths, chunk))
        head = _Head(weight_VD, hidden_SD.dtype, min(chunk, len(targets_S)), buffers)
        grad_hidden_SD = torch.empty_like(hidden_SD)
        is_trained = ctx.needs_input_grad[1]  # not where an adapter is, whose head is frozen
        grad_weight_VD: Tensor | None = None
        losses, logps = [], []
        for group in groups:
            hidden, targets = hidden_SD[group.states], targets_S[group.states]
            scored = [head.score(h, t) for h, t in zip(hidden.split(chunk), targets.split(chunk), strict=True)]
            sums_E = _summed(torch.cat([logps_S for logps_S, _ in scored]), group.lengths)
            loss, weights_E = _loss_and_gradient(example_loss, sums_E, group.responses)
            weights_S = torch.repeat_interleave(weights_E, torch.tensor(group.lengths, device=weights_E.device))
            pieces = zip(
                hidden.split(chunk), targets.split(chunk), weights_S.split(chunk),
                grad_hidden_SD[group.states].split(chunk), scored, strict=True,
            )  # fmt: skip
            for hidden_CD, targets_C, weights_C, out_CD, (_, sums_C1) in pieces:
                if len(scored) > 1:  # a long example: its logits have been overwritten
                    head.score(hidden_CD, targets_C)
                grads_CV = head.gradient(weights_C, sums_C1, targets_C)
                out_CD.copy_(torch.mm(grads_CV, head.weight_VD)[: len(out_CD)])
                states_CD = head.hidden_CD[: len(grads_CV)]
                if not is_trained:
                    continue
                if grad_weight_VD is None:
                    grad_weight_VD = torch.mm(grads_CV.t(), states_CD).float()
                elif grads_CV.dtype == torch.float32:
                    grad_weight_VD.addmm_(grads_CV.t(), states_CD)
                else:
                    _add(grad_weight_VD, torch.mm(grads_CV.t(), states_CD))
            losses.append(loss)
            logps.append(sums_E)
        ctx.save_for_backward(grad_hidden_SD, None if grad_weight_VD is None else grad_weight_VD.to(weight_VD.dtype))
        logps_E = torch.cat(logps)
        ctx.mark_non_differentiable(logps_E)
        return torch.stack(losses).sum(), logps_E

    @staticmethod
    def backward(ctx: Any, grad_loss: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        grad_hidden_SD, grad_weight_VD = ctx.saved_tensors
        if grad_loss.device.type != "cpu" or float(grad_loss) != 1.0:  # on a GPU to look would be to wait
            grad_hidden_SD.mul_(grad_loss)
            if grad_weight_VD is not None:
                grad_weight_VD.mul_(grad_loss)
        return grad_hidden_SD, grad_weight_VD, None, None, None, None, None


def _loss_and_gradient(example_loss: ExampleLoss, sums_E: Tensor, responses: slice) -> tuple[Tensor, Tensor]:
    with torch.enable_grad():
        leaf_E = sums_E.detach().requires_grad_()
        loss = example_loss(leaf_E, responses)
        (weights_E,) = torch.autograd.grad(loss, leaf_E)
    return loss.detach(), weights_E


def head_loss(
    hidden_SD: Tensor,
    weight_VD: Tensor,
    targets_S: Tensor,
    lengths: Sequence[tuple[int, ...]],
    *,
    example_loss: ExampleLoss,
    buffers: Buffers | None = None,
    chunk: int = CHUNK_STATES,
) -> tuple[Tensor, Tensor]:
    """Return the sum of the examples' losses, and the log-probability of each response, shape (E,), without gradient.

    `example_loss` takes the summed log-probabilities of whole examples, shape (some E,), with the range of their
    responses, and returns the sum of their losses; it is called once for each group of examples.
    """
    made = _HeadLoss.apply(  # type: ignore[no-untyped-call]
        hidden_SD, weight_VD, targets_S, lengths, example_loss, buffers or Buffers(), chunk
    )
    loss, logps_E = made
    return loss, logps_E
