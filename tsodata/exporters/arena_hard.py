"""Arena-Hard's answers in the schema of version 0.1: `choices[].turns[].{content, token_len}`, a JSON line a question.

`token_len` feeds Arena-Hard's style control, which counts with tiktoken's encoding of gpt-3.5-turbo. It is counted with
the tokenizer that is handed in, else it is the length that the answer was imported with, else null. `tstamp` is when
the store took the answer. Read off the files of lm-sys/arena-hard-auto at efc012e, data/arena-hard-v0.1/model_answer.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from tsodata.exporters.sheets import (
    NO_QUESTION_ID,
    NOT_ONE_INSTRUCTION,
    Answer,
    Asked,
    Sheet,
    answer_id,
    in_samples,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


def sheet(answers: Sequence[Answer], asked: Asked) -> Sheet:
    """Return one row per question, with a choice per sample."""
    made = Sheet()
    usable = []
    for answer in answers:
        if answer.question_id is None:
            made.refused[NO_QUESTION_ID] += 1
        elif answer.instruction is None:
            made.refused[NOT_ONE_INSTRUCTION] += 1
        else:
            usable.append(answer)
    for question_id, group in groupby(usable, key=lambda answer: answer.question_id):
        samples = in_samples(list(group), made)
        if samples:
            choices = [{"index": place, "turns": [_turn(each, asked)]} for place, each in enumerate(samples)]
            row = {"question_id": question_id, "answer_id": answer_id(samples[0]), "model_id": asked.model}
            made.add({**row, "choices": choices, "tstamp": samples[0].stored_at}, len(samples))
    return made


def _turn(answer: Answer, asked: Asked) -> dict[str, object]:
    counted = asked.count_tokens(answer.text) if asked.count_tokens else answer.token_len
    return {"content": answer.text, "token_len": counted}
