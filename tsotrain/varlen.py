"""Packed attention on CUDA: the calls of `attention` as two of torch's variable-length flash attention.

One call is causal over every example's prompt with its first response. The other has further responses as queries,
each over its prompt's keys and its own; a causal mask of flash attention ends at the last key, so a response's token
sees the whole prompt and the response up to itself. Not run on a GPU yet: tests hold the places to the plain
computation on a CPU, and skip the kernel where there is no CUDA.
Dimensions: T tokens of the row, H heads, D head size.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.attention import varlen

from tsotrain.batching import Layout

_DTYPES = (torch.bfloat16, torch.float16)
_AMPERE = (8, 0)  # flash attention's oldest hardware


class Call(NamedTuple):
    """Sequences of one call, end to end: where their queries and keys lie in the row, and where each begins."""

    queries: Tensor
    keys: Tensor
    query_starts: Tensor
    key_starts: Tensor
    longest_query: int
    longest_key: int


def is_usable(device: torch.device, dtype: torch.dtype) -> bool:
    """Say whether flash attention runs on this device in this dtype."""
    return device.type == "cuda" and dtype in _DTYPES and torch.cuda.get_device_capability(device) >= _AMPERE


def plan_calls(layouts: Sequence[Layout], device: torch.device) -> tuple[Call, ...]:
    """Return the calls that attend a row of examples; the second is missing where no example has a further response."""
    firsts: list[tuple[range, list[int]]] = []
    further: list[tuple[range, list[int]]] = []
    start = 0
    for layout in layouts:
        prompt = range(start, start + layout.prompt)
        place = prompt.stop
        for number, size in enumerate(layout.responses):
            response = range(place, place + size)
            if number == 0:
                firsts.append((range(start, response.stop), [*prompt, *response]))
            elif size:
                further.append((response, [*prompt, *response]))
            place += size
        start = place
    return tuple(_call(sequences, device) for sequences in (firsts, further) if sequences)


def _call(sequences: Sequence[tuple[range, list[int]]], device: torch.device) -> Call:
    n_queries, n_keys = ([len(sequence[side]) for sequence in sequences] for side in (0, 1))

    def tensor(values: Sequence[int], dtype: torch.dtype = torch.long) -> Tensor:
        return torch.tensor(values, dtype=dtype, device=device)

    return Call(
        queries=tensor([place for queries, _ in sequences for place in queries]),
        keys=tensor([place for _, keys in sequences for place in keys]),
        query_starts=tensor([0, *accumulate(n_queries)], torch.int32),
        key_starts=tensor([0, *accumulate(n_keys)], torch.int32),
        longest_query=max(n_queries),
        longest_key=max(n_keys),
    )


def attend(calls: Sequence[Call], heads: tuple[Tensor, Tensor, Tensor], *, scale: float) -> Tensor:
    """Return the attention of a row, shape (T, H, D), from its queries, keys and values of that shape."""
    query, key, value = heads
    out = torch.zeros_like(query)
    for call in calls:
        made = varlen.varlen_attn(
            query.index_select(0, call.queries),
            key.index_select(0, call.keys),
            value.index_select(0, call.keys),
            call.query_starts,
            call.key_starts,
            call.longest_query,
            call.longest_key,
            scale=scale,
            window_size=(-1, 0),  # causal
        )
        assert isinstance(made, Tensor)
        out = out.index_copy(0, call.queries, made)
    return out
