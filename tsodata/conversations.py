"""Conversations as token ids, through a tokenizer's own chat template.

Each is rendered with the template, then tokenised without further special tokens, as TRL does. A trainer masks the
prompt by its number of tokens, so these must begin the tokens of prompt and answer. The gate of exports and the trainer
both stand on this, so that what the one lets through is what the other trains on. Knows no limits, and counts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tsodata.errors import ChatTemplateError

Turns = Sequence[Mapping[str, str]]


def render(tokenizer: Any, prompt: Turns, answers: Sequence[str]) -> list[str]:
    """Return as texts the prompt that asks for an answer, then the conversation with each of the answers.

    Raises:
        ChatTemplateError: the template refuses one of them.
    """
    turns = [dict(turn) for turn in prompt]
    template = tokenizer.apply_chat_template
    try:
        asked = template(turns, tokenize=False, add_generation_prompt=True)
        said = [template([*turns, {"role": "assistant", "content": text}], tokenize=False) for text in answers]
    except Exception as error:  # a template is a program of its own and may raise anything
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ChatTemplateError(f"the chat template refuses a conversation: {reason}") from error
    return [asked, *said]


def tokenize(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Return the token ids of rendered texts; all of them at once, which is much the fastest."""
    ids: list[list[int]] = tokenizer(list(texts), add_special_tokens=False)["input_ids"] if texts else []
    return ids


def answer_tokens(prompt: list[int], whole: list[int]) -> list[int] | None:
    """Return the tokens of an answer: those behind the prompt's, or None where the prompt's do not begin the whole."""
    return whole[len(prompt) :] if whole[: len(prompt)] == prompt else None
