"""Pairs that others drew, as material: H4's rows, and TRL's with explicit and with implicit prompts.

H4: `prompt, prompt_id, chosen, rejected, score_chosen, score_rejected`. Both sides are whole conversations; the prompt
is their common turns and not `prompt`, which is only the first question. `messages` repeats `chosen` and is not read.
TRL, explicit: `prompt, chosen, rejected`, each text, or each chat turns with one answer a side. TRL, implicit: `chosen,
rejected`, where the prompt is what both begin with: the turns before the last, or the longest common text without the
blank at its end, even where that cuts a word, as TRL does it. A text in `prompt` beside chat turns counts as implicit,
as it does there. A column `margin`, a difference of scores, is not stored.

Each row is two answers and the preference of one over the other. The judge is --judge, else the data set by its name:
who drew the pair is all that a row tells. It counts as a model, since such sets are mostly drawn by a model's scores;
people's preferences have formats of their own. Scores are stored where the row has them. Both answers belong to the
source that `chosen_model` and `rejected_model` name, else to one source by the data set's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tsodata.importers.candidates import unnamed
from tsodata.importers.context import Context, Row, fail, maybe_text, messages, present, skip, text
from tsodata.importers.verdicts import Judge, Reading, preference, read_number, score
from tsodata.records import Message, Origin, Prompt, Record, Response, Rubric

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIDES = ("chosen", "rejected")
_HH_START = "\n\nHuman:"


class Pair(NamedTuple):
    """A prompt with the words of both sides."""

    prompt: Prompt
    chosen: str
    rejected: str


def parse_h4(row: Row, context: Context) -> Iterator[Record]:
    """Yield the prompt, both answers, their scores, and the preference, of one row of H4's schema."""
    for side in _SIDES:
        if isinstance(present(row, side), str) and not row[side].lstrip().startswith("["):
            fail("wrong_type", f"field {side!r} is text, not chat turns; import the file as trl-pairs")
    return records(_asked_conversations(row), row, context, scores={side: f"score_{side}" for side in _SIDES})


def parse_trl(row: Row, context: Context) -> Iterator[Record]:
    """Yield the prompt, both answers, their scores, and the preference, of one row of TRL's schemas."""
    is_text = [isinstance(present(row, side), str) for side in _SIDES]
    if is_text[0] != is_text[1]:
        fail("wrong_type", "one of 'chosen' and 'rejected' is text, the other is not")
    prompt = row.get("prompt")
    if prompt is None:
        pair = _implicit_texts(row) if is_text[0] else conversations(row)
    elif is_text[0]:
        pair = _explicit_texts(row)
    else:
        pair = _asked_conversations(row) if isinstance(prompt, str) else _explicit_turns(row)
    return records(pair, row, context, scores={side: f"score_{side}" for side in _SIDES})


def conversations(row: Row) -> Pair:
    """Return the pair of two conversations that part at their last answer."""
    chosen, rejected = (messages(present(row, side), side) for side in _SIDES)
    if chosen[:-1] != rejected[:-1]:
        fail("unequal_prompts", "'chosen' and 'rejected' differ before their last answer")
    answers = [_answer(turns, side) for turns, side in zip((chosen, rejected), _SIDES, strict=True)]
    return Pair(Prompt(chosen[:-1]), *answers)


def records(pair: Pair, row: Row, context: Context, *, scores: dict[str, str]) -> Iterator[Record]:
    """Yield the records of a pair; `scores` says in which column the score of a side stands, where there is one."""
    if pair.chosen.strip() == pair.rejected.strip():
        skip("equal_sides", "both sides are the same text")
    judge, name = Judge(context.judge or context.dataset), context.dataset
    sides = {
        side: Response(pair.prompt.prompt_key, _source_key(row, side, context), words)
        for side, words in zip(_SIDES, (pair.chosen, pair.rejected), strict=True)
    }
    yield from (pair.prompt, Origin(pair.prompt.prompt_key, name, maybe_text(row, "prompt_id")), *sides.values())
    for side, answer in sides.items():
        if scores[side] in row:
            yield from score(answer, read_number(row[scores[side]], scores[side]), judge=judge, rubric=Rubric(name))
    yield from preference(
        (sides["chosen"], sides["rejected"]),
        Reading(1.0),
        judge=judge,
        rubric=Rubric(name, kind="pairwise"),
        is_hard=True,
    )


def _asked_conversations(row: Row) -> Pair:
    """Return the pair of two conversations, of which `prompt`, where there is one, is a question."""
    pair = conversations(row)
    asked = maybe_text(row, "prompt")
    questions = [str(turn["content"]).strip() for turn in pair.prompt.messages if turn["role"] == "user"]
    if asked is not None and asked.strip() not in questions:
        fail("unequal_prompts", "field 'prompt' is no question of the conversations in 'chosen' and 'rejected'")
    return pair


def _source_key(row: Row, side: str, context: Context) -> int:
    name = maybe_text(row, f"{side}_model")
    return (context.model(name) if name else unnamed(context)).source_key


def _answer(turns: tuple[Message, ...], side: str) -> str:
    if not turns or turns[-1]["role"] != "assistant":
        fail("no_answer", f"{side!r} does not end with an assistant turn")
    return str(turns[-1]["content"])


def _explicit_turns(row: Row) -> Pair:
    prompt = Prompt(messages(row["prompt"], "prompt"))
    answers = []
    for side in _SIDES:
        turns = messages(present(row, side), side)
        if len(turns) > 1:
            fail("several_turns", f"{side!r} has {len(turns)} turns beside a prompt of turns; an answer is one")
        answers.append(_answer(turns, side))
    return Pair(prompt, *answers)


def _explicit_texts(row: Row) -> Pair:
    return Pair(Prompt.of_user(text(row, "prompt")), *(text(row, side, may_be_empty=True) for side in _SIDES))


def _implicit_texts(row: Row) -> Pair:
    chosen, rejected = (text(row, side) for side in _SIDES)
    if chosen.startswith(_HH_START):
        fail("wrong_type", "'chosen' is a dialogue of Human and Assistant; import the file as hh-rlhf")
    if chosen.strip() == rejected.strip():
        skip("equal_sides", "both sides are the same text")
    parting = (position for position, (a, b) in enumerate(zip(chosen, rejected, strict=False)) if a != b)
    prompt = chosen[: next(parting, min(len(chosen), len(rejected)))].removesuffix(" ")
    if not prompt.strip():
        fail("no_prompt", "'chosen' and 'rejected' have no beginning in common, and there is no 'prompt'")
    return Pair(Prompt.of_user(prompt), chosen[len(prompt) :], rejected[len(prompt) :])
