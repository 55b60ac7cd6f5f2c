"""Attention over packed examples: each response sees its prompt and itself, nothing else.

For each example, one causal call has its prompt with its first response, and one each further response over the
prompt's keys and its own; on CUDA all examples' are two calls (`varlen`). Registered with transformers as "tso", so no
model is patched. Dimensions: H heads, Q queries, K keys, T tokens of the row, D head size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention.bias import causal_lower_right
from transformers import AttentionInterface

from tsotrain import varlen
from tsotrain.batching import Layout
from tsotrain.errors import TrainError

NAME = "tso"
BLOCK_QUERIES = 256  # ours: of one product; best of 128 to 2048 on two CPU cores
MOST_KEYS = 1024  # ours: beyond, the kept probabilities would outweigh a layer's other activations


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
    calls: Sequence[varlen.Call] = (),
    **others: Any,
) -> tuple[Tensor, None]:
    """Return the attention of one packed row, shape (1, T, H, D), in the dtype that the device computes in.

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
    dtype = computed_dtype(query.device, query.dtype)
    attended = dtype if calls or query.device.type != "cpu" else torch.float32
    heads = [tensor[0].to(attended) for tensor in (query, key, value)]
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    with torch.autocast(query.device.type, enabled=False):
        if calls:
            of_tokens = [head_HTD.transpose(0, 1) for head_HTD in heads]
            return varlen.attend(calls, (of_tokens[0], of_tokens[1], of_tokens[2]), scale=scale)[None], None
        sizes = [size for layout in layouts for size in (layout.prompt, *layout.responses)]
        n_filling = query.shape[2] - sum(sizes)
        parts = [head_HTD.split([*sizes, n_filling], dim=1) for head_HTD in heads]
        rows, place = [], 0
        for layout in layouts:
            n_parts = 1 + len(layout.responses)
            rows += _attend_example(*(part[place : place + n_parts] for part in parts), scale=scale)
            place += n_parts
        rows.append(torch.zeros_like(parts[0][-1]))
        return torch.cat(rows, dim=1).transpose(0, 1)[None].to(dtype), None


def computed_dtype(device: torch.device, otherwise: torch.dtype) -> torch.dtype:
    """Return the dtype in which the device computes: that of autocast where it is on."""
    return torch.get_autocast_dtype(device.type) if torch.is_autocast_enabled(device.type) else otherwise


def _attend_example(
    query: Sequence[Tensor], key: Sequence[Tensor], value: Sequence[Tensor], *, scale: float
) -> list[Tensor]:
    rows = [attend_causally(*(torch.cat(list(part[:2]), dim=1) for part in (query, key, value)), scale=scale)]
    for place in range(2, len(query)):
        if query[place].shape[1]:  # none where the response has but one token, which is predicted from the prompt alone
            keys, values = (torch.cat([part[0], part[place]], dim=1) for part in (key, value))
            rows.append(attend_causally(query[place], keys, values, scale=scale))
    return rows


def attend_causally(query_HQD: Tensor, key_HKD: Tensor, value_HKD: Tensor, *, scale: float) -> Tensor:
    """Return the attention of the last Q of K tokens, each to itself and those before it, shape (H, Q, D).

    On a CPU it is matrix products, which take two thirds of the time of torch's flash attention there but keep Q x K
    probabilities; long sequences are flash attention's. Both are given float32 there: bf16 would round the scores, and
    have oneDNN make a kernel for every pair of lengths.
    """
    n_queries, n_keys = query_HQD.shape[1], key_HKD.shape[1]
    if query_HQD.device.type == "cpu" and n_keys <= MOST_KEYS:
        return _attend_by_products(query_HQD, key_HKD, value_HKD, scale=scale)
    query, key, value = query_HQD[None], key_HKD[None], value_HKD[None]
    mask = causal_lower_right(n_queries, n_keys)
    return functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=scale)[0]


def _attend_by_products(query_HQD: Tensor, key_HKD: Tensor, value_HKD: Tensor, *, scale: float) -> Tensor:
    key_HDK = key_HKD.transpose(1, 2)
    n_seen = key_HKD.shape[1] - query_HQD.shape[1]
    rows = []
    for block_HBD in query_HQD.split(BLOCK_QUERIES, dim=1):
        n_queries = block_HBD.shape[1]
        n_seen += n_queries
        mask_BK = _unseen()[:n_queries, MOST_KEYS - n_seen + n_queries : MOST_KEYS + n_queries]
        scores_HBK = torch.baddbmm(mask_BK, block_HBD, _first(key_HDK, n_seen, dim=2), alpha=scale)
        rows.append(torch.bmm(scores_HBK.softmax(dim=-1), _first(value_HKD, n_seen, dim=1)))
    return torch.cat(rows, dim=1)


def _first(tensor: Tensor, n: int, *, dim: int) -> Tensor:
    """Return the first n of a dimension; all of them without a slice, whose gradient is filled and copied."""
    return tensor if tensor.shape[dim] == n else tensor.narrow(dim, 0, n)


@cache
def _unseen() -> Tensor:
    """Return -inf where key k comes after query q at place `MOST_KEYS + q`, else 0: each block's mask is part of it."""
    return torch.full((BLOCK_QUERIES, MOST_KEYS + BLOCK_QUERIES), -math.inf).triu(MOST_KEYS + 1)


AttentionInterface.register(NAME, packed_attention)
