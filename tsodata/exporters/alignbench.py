"""AlignBench's answers: the benchmark's own question rows, each with `model_id, answer_id, answer` added.

AlignBench's judge reads `question`, `reference`, `category` and `subcategory` out of the answer file, so the rows of
the question file that the user hands in are copied whole; a question is found by its exact text. `answer_id` is
AlignBench's own, the question's id and the model's name. Read in THUDM/AlignBench, get_answers.py and judge.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsodata.exporters.sheets import ANOTHER_SAMPLE, EMPTY, NOT_ONE_INSTRUCTION, Answer, Asked, Sheet

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_QUESTION = "not_among_the_questions"


def sheet(answers: Sequence[Answer], asked: Asked) -> Sheet:
    """Return one row per question, in the order of the question file."""
    made = Sheet()
    chosen: dict[str, Answer] = {}
    for answer in answers:
        text = answer.instruction
        if text is None:
            made.refused[NOT_ONE_INSTRUCTION] += 1
        elif text not in asked.questions:
            made.refused[NO_QUESTION] += 1
        elif answer.sample_index or text in chosen:
            made.refused[ANOTHER_SAMPLE] += 1
        elif answer.is_empty:
            made.refused[EMPTY] += 1
        else:
            chosen[text] = answer
    for text, question in asked.questions.items():
        if text in chosen:
            added = {"model_id": asked.model, "answer_id": f"{question.get('question_id')}_{asked.model}"}
            made.add({**question, **added, "answer": chosen[text].text})
    return made
