"""What an answer file is made of: stored answers to a benchmark's questions, and the sheet of rows that they give.

Every answer ends on the sheet or is refused with a reason. Texts stay as they are stored, edges and all: read back,
they are the same answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

EMPTY = "answer_is_empty"
ANOTHER_SAMPLE = "another_sample"
NO_QUESTION_ID = "question_has_no_id"
NOT_ONE_INSTRUCTION = "prompt_is_not_one_instruction"


class Answer(NamedTuple):
    """One answer of the source to one question, the columns of sql/exports/benchmark_answers.sql.

    `stored_at` is when the store took it, in seconds since 1970; nobody says when it was given.
    """

    question_id: str | None
    dataset: str
    messages: list[dict[str, str | None]]
    response_id: str
    previous_id: str | None
    sample_index: int
    text: str
    is_empty: bool
    external_id: str | None
    token_len: int | None
    stored_at: int

    @property
    def instruction(self) -> str | None:
        """Return the question where it is one turn of the user and nothing else."""
        return self.messages[0]["content"] if len(self.messages) == 1 else None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the rows depend on besides the answers: the model's name in them, and what the user handed in.

    `n_turns` is how many turns each question has, by the id without the turn; `questions` are the rows of the
    benchmark's own file, by the text of the question; `count_tokens` is missing where no tokenizer was given.
    """

    model: str
    n_turns: Mapping[str, int]
    questions: Mapping[str, Mapping[str, Any]]
    count_tokens: Callable[[str], int] | None = None


@dataclass(slots=True)
class Sheet:
    """Rows to write, the number of answers in them, and the answers that are in none, by reason."""

    rows: list[dict[str, object]] = field(default_factory=list)
    n_answers: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def add(self, row: dict[str, object], n_answers: int = 1) -> None:
        """Add a row that holds so many answers."""
        self.rows.append(row)
        self.n_answers += n_answers


def in_samples(answers: Sequence[Answer], sheet: Sheet) -> list[Answer]:
    """Return the answers whose places are their sample numbers, 0, 1, 2, …; the others are refused.

    The files hold samples as a list, so one behind a gap would change its number, and with it its id, when read back.
    """
    kept: list[Answer] = []
    for answer in sorted(answers, key=lambda each: (each.sample_index, each.is_empty, each.response_id)):
        if answer.sample_index != len(kept):
            sheet.refused[ANOTHER_SAMPLE] += 1
        elif answer.is_empty:
            sheet.refused[EMPTY] += 1
        else:
            kept.append(answer)
    return kept


def answer_id(answer: Answer) -> str:
    """Return the id of the file that the answer came from, or its id in the store."""
    return answer.external_id.split("/")[0] if answer.external_id else answer.response_id


def number_or_text(question_id: str) -> int | str:
    """Return an id as the files hold it: a number where it is one."""
    return int(question_id) if question_id.isdecimal() and str(int(question_id)) == question_id else question_id
