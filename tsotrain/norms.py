"""Root-mean-square norms in fewer passes over memory than transformers' own, and with fewer tensors kept.

Under autocast a norm is given in the dtype that linear layers compute in, so that it is cast once for all that read it.
Dimensions: N rows, D hidden size.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from tsotrain.attention import computed_dtype

_N_TRIED = 8  # hidden size and rows of the norm that a kind of norms is tried on


class _RmsNorm(torch.autograd.Function):
    """Keeps what it was given and a number a row; the backward pass needs no normed rows."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight_D: Tensor, epsilon: float, dtype: torch.dtype) -> Tensor:
        hidden_ND = hidden.reshape(-1, hidden.shape[-1]).float()
        norm_N1 = torch.linalg.vector_norm(hidden_ND, dim=1, keepdim=True)
        scale_N1 = norm_N1.square_().div_(hidden_ND.shape[1]).add_(epsilon).rsqrt_()
        ctx.save_for_backward(hidden, weight_D, scale_N1)
        normed: Tensor = (hidden_ND * scale_N1).mul_(weight_D).to(dtype).view(hidden.shape)
        return normed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor | None, None, None]:
        hidden, weight_D, scale_N1 = ctx.saved_tensors
        hidden_ND, weight = hidden.reshape(-1, hidden.shape[-1]).float(), weight_D.float()
        grad_ND = grad.reshape(hidden_ND.shape).to(torch.float32, copy=True)
        along_ND = grad_ND * hidden_ND
        grad_weight_D = None
        if ctx.needs_input_grad[1]:  # not beside an adapter
            grad_weight_D = torch.mv(along_ND.t(), scale_N1[:, 0]).to(weight_D.dtype)
        shrunk_N1 = torch.mv(along_ND, weight)[:, None] * scale_N1.pow(3) / hidden_ND.shape[1]
        grad_ND.mul_(weight).mul_(scale_N1).addcmul_(hidden_ND, shrunk_N1, value=-1)
        return grad_ND.view(hidden.shape).to(hidden.dtype), grad_weight_D, None, None


def rms_norm(hidden: Tensor, weight_D: Tensor, *, epsilon: float, dtype: torch.dtype) -> Tensor:
    """Return `weight * hidden / sqrt(mean(hidden^2) + epsilon)` over the last dimension, computed in float32."""
    normed: Tensor = _RmsNorm.apply(hidden, weight_D, epsilon, dtype)  # type: ignore[no-untyped-call]
    return normed


def take_over_norms(model: nn.Module) -> None:
    """Have the norms of a model that are `rms_norm` be computed by it; others stay the model's own."""
    for module in model.modules():
        kind: Any = type(module)
        if kind.__name__.endswith("RMSNorm") and _has_only_weight_and_epsilon(module) and _is_rms_norm(kind):
            module.forward = partial(_forward, module)


def _forward(module: Any, hidden: Tensor) -> Tensor:
    dtype = computed_dtype(hidden.device, torch.promote_types(hidden.dtype, module.weight.dtype))
    return rms_norm(hidden, module.weight, epsilon=_epsilon(module), dtype=dtype)


def _epsilon(module: Any) -> float:
    epsilon: float | None = getattr(module, "variance_epsilon", None) or getattr(module, "eps", None)
    return epsilon or 0.0


def _has_only_weight_and_epsilon(module: nn.Module) -> bool:
    return [name for name, _ in module.named_parameters()] == ["weight"] and _epsilon(module) > 0


@cache
def _is_rms_norm(kind: Any) -> bool:
    """Say whether a class of norms computes `rms_norm`, which one of it is tried for: some add 1 to the weight."""
    with torch.device("cpu"), torch.no_grad():
        try:
            tried = kind(_N_TRIED)
        except (TypeError, AttributeError):  # made of something else than its size
            return False
        if not _has_only_weight_and_epsilon(tried):
            return False
        tried.weight.copy_(torch.linspace(0.5, 2, _N_TRIED))
        sizes = torch.logspace(-4, 0, _N_TRIED)[:, None]  # the smallest row is no larger than epsilon
        hidden = torch.linspace(-1, 3, _N_TRIED**2).view(_N_TRIED, _N_TRIED) * sizes
        ours = rms_norm(hidden, tried.weight, epsilon=_epsilon(tried), dtype=torch.float32)
        return torch.allclose(tried(hidden), ours, rtol=1e-5)
