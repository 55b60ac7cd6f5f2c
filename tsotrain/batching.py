"""Packing: examples of token ids laid end to end without padding, each prompt once for all of its responses.

Dimensions: T tokens that the model runs over, S states that predict a response token, E responses. An example is laid
out as its prompt, then each response without its last token, which predicts nothing.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

DEVICE_TOKENS = 8192  # ours: of one forward pass; a GPU is busy with them
CPU_UNITS = 3_300_000  # ours: tokens x layers x hidden units; on two cores more take memory, and hardly less time
CPU_TOKENS = 750  # ours: divided by the body's share of the parameters; a pass goes over all of them once


class Example(NamedTuple):
    """A prompt with the responses to score, as token ids.

    Chosen and rejected of a pair, one to tune on, or a ranked list with the best first.
    """

    example_id: str
    prompt: tuple[int, ...]
    responses: tuple[tuple[int, ...], ...]

    @property
    def n_tokens(self) -> int:
        """Return how many tokens the model runs over."""
        return len(self.prompt) + sum(len(response) - 1 for response in self.responses)

    @property
    def n_real_tokens(self) -> int:
        """Return the tokens as people count them: every response with its prompt."""
        return sum(len(self.prompt) + len(response) for response in self.responses)


class Layout(NamedTuple):
    """Where an example's parts lie in the row: the prompt's length, then that of each response less one."""

    prompt: int
    responses: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PackedBatch:
    """Examples in one row. The states of one response stand together, responses of one example too."""

    examples: tuple[Example, ...]
    tokens_1T: Tensor
    positions_1T: Tensor
    layouts: tuple[Layout, ...]
    states_S: Tensor  # places in the row whose hidden state predicts a response token
    targets_S: Tensor
    lengths: tuple[tuple[int, ...], ...]  # response tokens of each example's responses


def pack(examples: Sequence[Example], device: torch.device | str = "cpu") -> PackedBatch:
    """Return examples laid end to end; positions of every response go on from the prompt's end."""
    tokens: list[int] = []
    positions: list[int] = []
    states: list[int] = []
    targets: list[int] = []
    layouts = []
    for example in examples:
        start, n_prompt = len(tokens), len(example.prompt)
        tokens += example.prompt
        positions += range(n_prompt)
        for response in example.responses:
            states.append(start + n_prompt - 1)
            states += range(len(tokens), len(tokens) + len(response) - 1)
            targets += response
            tokens += response[:-1]
            positions += range(n_prompt, n_prompt + len(response) - 1)
        layouts.append(Layout(n_prompt, tuple(len(response) - 1 for response in example.responses)))

    def tensor(values: list[int]) -> Tensor:
        return torch.tensor(values, dtype=torch.long, device=device)

    return PackedBatch(
        examples=tuple(examples),
        tokens_1T=tensor(tokens)[None],
        positions_1T=tensor(positions)[None],
        layouts=tuple(layouts),
        states_S=tensor(states),
        targets_S=tensor(targets),
        lengths=tuple(tuple(len(response) for response in example.responses) for example in examples),
    )


def by_example(values_E: Tensor, examples: Sequence[Example]) -> Tensor:
    """Return a value per response in rows, shape (B, R) with R the most responses of an example; missing ones are 0."""
    counts = [len(example.responses) for example in examples]
    if len(set(counts)) == 1:
        return values_E.view(-1, counts[0])
    return pad_sequence(list(values_E.split(counts)), batch_first=True)


def response_lengths(examples: Sequence[Example]) -> Tensor:
    """Return the tokens of every response, shape (B, R); 0 where an example has no such response."""
    lengths = [len(response) for example in examples for response in example.responses]
    return by_example(torch.tensor(lengths), examples)


def micro_tokens(asked: int, *, n_layers: int, n_hidden: int, body_share: float, on_cpu: bool) -> int:
    """Return the tokens of one forward pass: those asked for, or what suits the device and the policy's shape.

    `body_share` is the share of a policy's parameters that is in neither the embeddings nor the head.
    """
    if asked or not on_cpu:
        return asked or DEVICE_TOKENS
    return min(DEVICE_TOKENS, max(CPU_UNITS // (n_layers * n_hidden), int(CPU_TOKENS / body_share)))


def spread(examples: Sequence[Example], n_groups: int) -> list[list[Example]]:
    """Return groups of about as many tokens: the longest examples first, each into the group with the fewest."""
    groups: list[list[Example]] = [[] for _ in range(n_groups)]
    loads = [(0, group) for group in range(n_groups)]
    for example in sorted(examples, key=lambda e: (-e.n_tokens, e.example_id)):
        n_tokens, group = loads[0]
        groups[group].append(example)
        heapq.heapreplace(loads, (n_tokens + example.n_tokens, group))
    return groups


def micro_batches(examples: Sequence[Example], max_tokens: int) -> list[list[Example]]:
    """Return the examples in few groups of at most `max_tokens` tokens, about as many in each; the largest comes first.

    So a later one fits where an earlier one was in memory. An example that is longer stands alone.
    """
    n_long = sum(2 * example.n_tokens > max_tokens for example in examples)  # no two of them go together
    n_groups = max(n_long, -(-_tokens(examples) // max_tokens))
    while n_groups < len(examples):
        groups = spread(examples, n_groups)
        if all(len(group) == 1 or _tokens(group) <= max_tokens for group in groups):
            return sorted(groups, key=_tokens, reverse=True)
        n_groups += 1 + n_groups // 50  # an even spread of thousands needs some room
    return spread(examples, len(examples))


def _tokens(group: Sequence[Example]) -> int:
    return sum(example.n_tokens for example in group)


def batches_of_epoch(n_examples: int, batch_size: int, *, seed: int, epoch: int) -> list[list[int]]:
    """Return the examples of each optimizer step of an epoch, by place; the last batch may be smaller.

    The order follows from the seed and the epoch alone, so a resumed stage needs only the number of its step.
    """
    generator = torch.Generator().manual_seed((seed << 16) + epoch)
    order = torch.randperm(n_examples, generator=generator).tolist()
    return [order[start : start + batch_size] for start in range(0, n_examples, batch_size)]
