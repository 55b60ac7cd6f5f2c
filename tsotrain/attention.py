"""Attention over packed examples: each response sees its prompt and itself, nothing else.

For each example two causal calls are exact and portable: the prompt with its first response, and each further response
over the prompt's keys and its own. Registered with transformers as "tso", so no model is patched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AttentionInterface

from tsotrain.batching import Layout
from tsotrain.errors import TrainError

NAME = "tso"


def packed_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,  # noqa: ARG001  the interface of transformers
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    layouts: Sequence[Layout] = (),
    masks: Sequence[Sequence[Tensor | None]] = (),
    **others: Any,
) -> tuple[Tensor, None]:
    """Return the attention of one packed row, shape (1, T, heads, head size).

    Raises:
        TrainError: the model asks for an attention that this is not.
    """
    asked = [name for name in ("sliding_window", "softcap", "s_aux") if others.get(name) is not None]
    if asked or dropout:
        what = asked[0] if asked else "dropout"
        raise TrainError(f"{type(module).__name__} asks for attention with {what}, which packed training lacks")
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = (tensor.repeat_interleave(groups, dim=1) for tensor in (key, value))
    made, device = query.dtype, query.device
    query, key, value = (tensor.to(attention_dtype(made, device)) for tensor in (query, key, value))
    sizes = [size for layout in layouts for size in (layout.prompt, *layout.responses)]
    parts = [tensor.split(sizes, dim=2) for tensor in (query, key, value)]
    rows, place = [], 0
    for layout, masks_of_example in zip(layouts, masks, strict=True):
        n_parts = 1 + len(layout.responses)
        own = [part[place : place + n_parts] for part in parts]
        with torch.autocast(device.type, enabled=False):
            rows += _attend_example(*own, masks=masks_of_example, scaling=scaling)
        place += n_parts
    return torch.cat(rows, dim=2).transpose(1, 2).to(made), None


def _attend_example(
    query: Sequence[Tensor],
    key: Sequence[Tensor],
    value: Sequence[Tensor],
    *,
    masks: Sequence[Tensor | None],
    scaling: float | None,
) -> list[Tensor]:
    queries, keys, values = (torch.cat(list(part[:2]), dim=2) for part in (query, key, value))
    rows = [functional.scaled_dot_product_attention(queries, keys, values, is_causal=True, scale=scaling)]
    for place, mask in enumerate(masks, 2):
        if mask is None:
            continue
        keys, values = (torch.cat([part[0], part[place]], dim=2) for part in (key, value))
        rows.append(functional.scaled_dot_product_attention(query[place], keys, values, attn_mask=mask, scale=scaling))
    return rows


def response_masks(layouts: Sequence[Layout], dtype: torch.dtype, device: torch.device) -> list[list[Tensor | None]]:
    """Return for every response after an example's first what it may see, (response, prompt + response) of 0 and -inf.

    None where the response has but one token, which is predicted from the prompt alone.
    """
    return [
        [_mask(layout.prompt, size, dtype, device) if size else None for size in layout.responses[1:]]
        for layout in layouts
    ]


def attention_dtype(dtype: torch.dtype, device: torch.device) -> torch.dtype:
    """Return the dtype in which attention runs: float32 on a CPU, whose kernels are faster so, above all backward."""
    return torch.float32 if device.type == "cpu" else dtype


def _mask(n_prompt: int, n_response: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    blocked = torch.full((n_response, n_response), float("-inf"), dtype=dtype, device=device).triu(1)
    return functional.pad(blocked, (n_prompt, 0))


AttentionInterface.register(NAME, packed_attention)
