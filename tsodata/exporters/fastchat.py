"""FastChat's MT-Bench answers: `question_id, answer_id, model_id, choices[].turns, tstamp`, one JSON line a question.

A choice is a sample with its answers to all turns of the question, each given after the one before; a sample that
lacks one is refused whole, because FastChat would judge a turn that is not there. `tstamp` is when the store took the
answer. Read in lm-sys/FastChat, fastchat/llm_judge/gen_model_answer.py.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from tsodata.exporters.sheets import (
    ANOTHER_SAMPLE,
    EMPTY,
    NO_QUESTION_ID,
    Answer,
    Asked,
    Sheet,
    answer_id,
    number_or_text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

MISSING_TURN = "a_turn_is_missing"
EMPTY_TURN = "another_turn_is_empty"


def sheet(answers: Sequence[Answer], asked: Asked) -> Sheet:
    """Return one row per question that has a whole sample."""
    made = Sheet()
    placed = []
    for answer in answers:
        question, turn = question_and_turn(answer.question_id)
        if question is None:
            made.refused[NO_QUESTION_ID] += 1
        else:
            placed.append((question, turn, answer))
    placed.sort(key=lambda item: (number_or_text(item[0]).__class__.__name__, number_or_text(item[0]), item[1]))
    for question, group in groupby(placed, key=lambda item: item[0]):
        _add_question(question, [(turn, answer) for _, turn, answer in group], made=made, asked=asked)
    return made


def question_and_turn(external_id: str | None) -> tuple[str | None, int]:
    """Return the parts of an id such as 81/2, or None and 0 where it is not one."""
    question, slash, turn = (external_id or "").rpartition("/")
    return (question, int(turn)) if slash and question and turn.isdecimal() else (None, 0)


def _add_question(question: str, answers: list[tuple[int, Answer]], *, made: Sheet, asked: Asked) -> None:
    samples: list[list[Answer]] = []
    used: set[str] = set()
    firsts = sorted((answer for turn, answer in answers if turn == 1), key=_by_sample)
    for first in firsts:
        chain = _chain(first, answers)
        used.update(answer.response_id for answer in chain)
        reason = _reason(chain, n_turns=asked.n_turns[question], place=len(samples))
        if reason is None:
            samples.append(chain)
        elif reason == EMPTY:
            n_empty = sum(answer.is_empty for answer in chain)
            made.refused += {EMPTY: n_empty, EMPTY_TURN: len(chain) - n_empty}
        else:
            made.refused[reason] += len(chain)
    for turn, answer in answers:
        if turn > 1 and answer.response_id not in used:
            has_first = any(first.response_id == answer.previous_id for first in firsts)
            made.refused[ANOTHER_SAMPLE if has_first or turn > 2 else MISSING_TURN] += 1
    if samples:
        first = samples[0][0]
        choices = [{"index": place, "turns": [each.text for each in chain]} for place, chain in enumerate(samples)]
        row = {"question_id": number_or_text(question), "answer_id": answer_id(first), "model_id": asked.model}
        made.add({**row, "choices": choices, "tstamp": first.stored_at}, sum(map(len, samples)))


def _by_sample(answer: Answer) -> tuple[int, str]:
    return answer.sample_index, answer.response_id


def _chain(first: Answer, answers: list[tuple[int, Answer]]) -> list[Answer]:
    """Return a first answer and those that were given after it, one a turn, with its sample number."""
    chain = [first]
    while True:
        after = [
            answer
            for turn, answer in answers
            if turn == len(chain) + 1
            and answer.previous_id == chain[-1].response_id
            and answer.sample_index == first.sample_index
        ]
        if not after:
            return chain
        chain.append(min(after, key=_by_sample))


def _reason(chain: list[Answer], *, n_turns: int, place: int) -> str | None:
    if len(chain) < n_turns:
        return MISSING_TURN
    if any(answer.is_empty for answer in chain):
        return EMPTY
    return None if chain[0].sample_index == place else ANOTHER_SAMPLE
