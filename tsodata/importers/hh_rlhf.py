r"""HH-RLHF: two dialogues that part at the last answer, `chosen` and `rejected`, as people preferred them.

A turn starts with `\n\nHuman:` or `\n\nAssistant:`; one blank behind the colon belongs to the marker. The turns before
the last answer are the prompt. Two dialogues that part earlier have no common prompt and are refused; two that are
equal say nothing and are skipped.

The files name no model, so both answers have one source, `hh-rlhf`, which --models or the flags may place in a cell.
It is one source and not one for each side: who answered must not tell who won, and an answer that wins in one row and
loses in another is one answer. The judge is the crowd of people, `hh-rlhf`; their preference is all that is known.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tsodata.importers.context import Context, Row, fail, skip, text
from tsodata.importers.verdicts import Judge, Reading, preference
from tsodata.records import Message, Origin, Prompt, Record, Response, Rubric

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = "hh-rlhf"
_TURN = re.compile(r"\n\n(Human|Assistant): ?")
_ROLES = {"Human": "user", "Assistant": "assistant"}
_RUBRIC = Rubric(_NAME, kind="pairwise")


def parse(row: Row, context: Context) -> Iterator[Record]:
    """Yield the common turns as the prompt, the last answer of both dialogues, and the people's preference."""
    chosen, rejected = (dialogue(text(row, side), side) for side in ("chosen", "rejected"))
    if chosen[:-1] != rejected[:-1]:
        fail("unequal_prompts", "the two dialogues differ before their last answer")
    words = [str(turns[-1]["content"]) for turns in (chosen, rejected)]
    if words[0].strip() == words[1].strip():
        skip("equal_sides", "both dialogues end with the same answer")
    prompt = Prompt(chosen[:-1])
    source = context.model(_NAME)
    first, second = (Response(prompt.prompt_key, source.source_key, answer) for answer in words)
    judge = Judge(context.judge or _NAME, "human")
    yield from (prompt, Origin(prompt.prompt_key, context.dataset), first, second)
    yield from preference((first, second), Reading(1.0), judge=judge, rubric=_RUBRIC, is_hard=True)


def dialogue(words: str, name: str) -> tuple[Message, ...]:
    """Return the turns of a dialogue, the last of them the assistant's."""
    before, *parts = _TURN.split(words)
    if before.strip() or not parts:
        fail("bad_content", f"{name!r} does not start with a turn of 'Human:'")
    turns: list[Message] = [
        {"role": _ROLES[role], "content": content} for role, content in zip(parts[::2], parts[1::2], strict=True)
    ]
    if turns[-1]["role"] != "assistant":
        fail("no_answer", f"{name!r} does not end with a turn of 'Assistant:'")
    return tuple(turns)
