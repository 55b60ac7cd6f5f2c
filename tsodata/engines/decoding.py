"""Answers from a model in this process: a batch of prompts with a cache, each request drawn by its own generator.

What a request gets depends on its prompt, its sampling and its seed, never on what else is in the batch, up to floating
point: a batch's matrix products differ from those of one row in the last digits of a logit, and a draw that falls
between the two differs. In float32, where probabilities then differ by about 1e-6, that is rare; in bfloat16 it is not.
Only what `Sampling` says is done to the logits: a model's own generation settings give the ends of an answer, no more.
Dimensions: B rows, T tokens, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from tsodata.engines.protocol import Sampling

Decode = Callable[[Sequence[int]], str]
_KEPT_SHARE = 0.5  # ours: a smaller share of the rows at work than this, and the cache is cut down to them


class DecodingStoppedError(Exception):
    """Whoever asked has gone."""


@dataclass(slots=True)
class Row:
    """A request on its way to an answer; `text` and `finish_reason` are there in the end."""

    prompt: tuple[int, ...]
    sampling: Sampling
    generator: torch.Generator
    answer: list[int] = field(default_factory=list)
    top: list[dict[int, float]] = field(default_factory=list)  # per token: id -> log-probability in nats
    text: str = ""
    finish_reason: str | None = None
    is_broken: bool = False  # the model gave no numbers

    @property
    def is_done(self) -> bool:
        """Return whether nothing more comes."""
        return self.finish_reason is not None or self.is_broken

    @classmethod
    def of(cls, prompt: tuple[int, ...], sampling: Sampling, seed: int | None) -> Row:
        """Return a row whose draws follow from the seed; without one they never come again."""
        generator = torch.Generator()
        if seed is None:
            generator.seed()
        else:
            generator.manual_seed(seed)
        return cls(prompt, sampling, generator)


@torch.inference_mode()
def decode_rows(
    model: Any,
    rows: Sequence[Row],
    *,
    ends: Collection[int],
    decode: Decode,
    is_stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Answer all rows as one batch, padded on the left; `ends` are the tokens that end an answer.

    Raises:
        DecodingStoppedError: `is_stopped` said so; the rows are of no use then.
    """
    working = list(rows)
    ids_BT, mask_BT = _left_padded([row.prompt for row in working], model.device)
    positions_BT = (mask_BT.cumsum(-1) - 1).clamp(min=0)
    cache = None
    while True:
        if is_stopped():
            raise DecodingStoppedError
        out = model(
            input_ids=ids_BT,
            attention_mask=mask_BT,
            position_ids=positions_BT,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        cache = out.past_key_values
        tokens = next_tokens(out.logits[:, -1], working)
        for row, token in zip(working, tokens, strict=True):
            if not row.is_done:
                _append(row, token, ends=ends, decode=decode)
        places = [place for place, row in enumerate(working) if not row.is_done]
        if not places:
            return
        ids_BT = torch.tensor(tokens, device=model.device)[:, None]
        positions_BT = positions_BT[:, -1:] + 1
        mask_BT = torch.cat([mask_BT, mask_BT.new_ones(len(working), 1)], dim=-1)
        if len(places) < _KEPT_SHARE * len(working):
            kept = torch.tensor(places, device=model.device)
            cache.batch_select_indices(kept)
            ids_BT, positions_BT, mask_BT = ids_BT[kept], positions_BT[kept], mask_BT[kept]
            working = [working[place] for place in places]


def next_tokens(logits_BV: Tensor, rows: Sequence[Row]) -> list[int]:
    """Return each row's next token, and note the most likely ones where they are asked for, and rows without numbers.

    A row takes one number from its generator and the token where the running sum of its probabilities, in the order of
    the vocabulary, passes that number. The sums are float64. At temperature 0 it takes the most likely token.
    """
    for row, is_broken in zip(rows, logits_BV.isnan().any(dim=-1).tolist(), strict=True):
        row.is_broken |= is_broken
    _note_top(logits_BV, rows)
    greedy_B = logits_BV.argmax(dim=-1)
    if all(row.sampling.temperature == 0 for row in rows):
        return [int(token) for token in greedy_B.tolist()]
    draws = [torch.rand((), generator=row.generator, dtype=torch.float64) for row in rows]
    draw_B1 = torch.stack(draws)[:, None].to(logits_BV.device)
    sums_BV = _kept_probabilities(logits_BV, rows).cumsum(dim=-1)
    drawn_B = torch.searchsorted(sums_BV, draw_B1 * sums_BV[:, -1:], right=True).squeeze(-1)
    drawn_B = drawn_B.clamp(max=logits_BV.shape[-1] - 1)
    is_greedy_B = torch.tensor([row.sampling.temperature == 0 for row in rows], device=logits_BV.device)
    return [int(token) for token in torch.where(is_greedy_B, greedy_B, drawn_B).tolist()]


def _kept_probabilities(logits_BV: Tensor, rows: Sequence[Row]) -> Tensor:
    """Return the probabilities at each row's temperature, zero outside its nucleus, not scaled to one.

    The nucleus is the fewest most likely tokens whose probabilities sum to `top_p` or more.
    """
    warmth = [row.sampling.temperature or 1.0 for row in rows]
    top_p_B1 = logits_BV.new_tensor([row.sampling.top_p for row in rows], dtype=torch.float64)[:, None]
    warmth_B1 = logits_BV.new_tensor(warmth, dtype=torch.float64)[:, None]
    probabilities_BV = (logits_BV.double() / warmth_B1).softmax(dim=-1)
    if all(row.sampling.top_p >= 1 for row in rows):
        return probabilities_BV
    sorted_BV, order_BV = probabilities_BV.sort(dim=-1, descending=True, stable=True)
    is_kept_BV = (sorted_BV.cumsum(dim=-1) - sorted_BV < top_p_B1) | (top_p_B1 >= 1)
    is_kept_BV[:, 0] = True
    return probabilities_BV * torch.zeros_like(is_kept_BV).scatter(-1, order_BV, is_kept_BV)


def _note_top(logits_BV: Tensor, rows: Sequence[Row]) -> None:
    """Note log-probabilities as the model has them, whatever the temperature."""
    for place, row in enumerate(rows):
        if row.sampling.top_logprobs and not row.is_done:
            logps_V = logits_BV[place].double().log_softmax(dim=-1)
            best = logps_V.topk(min(row.sampling.top_logprobs, len(logps_V)))
            row.top.append(dict(zip(best.indices.tolist(), best.values.tolist(), strict=True)))


def _append(row: Row, token: int, *, ends: Collection[int], decode: Decode) -> None:
    row.answer.append(token)
    if token in ends:
        row.text, row.finish_reason = decode(row.answer[:-1]), "stop"
        return
    if row.sampling.stop:
        text = decode(row.answer)
        found = [text.index(stop) for stop in row.sampling.stop if stop in text]
        if found:
            row.text, row.finish_reason = text[: min(found)], "stop"
            return
    if len(row.answer) >= row.sampling.max_tokens:
        row.text, row.finish_reason = decode(row.answer), "length"


def _left_padded(prompts: Sequence[tuple[int, ...]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Return ids and mask; what stands in the padding is masked, so any token will do."""
    width = max(len(prompt) for prompt in prompts)
    ids_BT = torch.zeros(len(prompts), width, dtype=torch.long)
    mask_BT = torch.zeros_like(ids_BT)
    for place, prompt in enumerate(prompts):
        ids_BT[place, width - len(prompt) :] = torch.tensor(prompt)
        mask_BT[place, width - len(prompt) :] = 1
    return ids_BT.to(device), mask_BT.to(device)
