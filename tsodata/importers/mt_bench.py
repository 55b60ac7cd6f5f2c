"""FastChat MT-Bench: questions of two turns, answers, and single-answer judgments (1-10; -1 means none).

A question becomes two prompts. The second holds the answering model's own first answer as an open turn, so all models
share it; an answer to it points to the answer before. A judgment carries the answer in its prompt: where the store
lacks that answer, it is stored as shown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tsodata.importers.context import (
    Context,
    Row,
    fail,
    identifier,
    maybe_text,
    number,
    objects,
    present,
    text,
    texts,
)
from tsodata.records import (
    Judgement,
    Message,
    Origin,
    Prompt,
    Record,
    Reference,
    Response,
    Rubric,
    Score,
    ShownResponse,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_HINT = "the questions (mt-bench-questions)"
_SINGLE = re.compile(r"\[The Start of Assistant's Answer\]\n(.*)\n\[The End of Assistant's Answer\]", re.DOTALL)
_CONVERSATION = re.compile(r"<\|The Start of Assistant A's Conversation with User\|>\n(.*)\n<\|The End", re.DOTALL)
_PARSER = "fastchat"


def parse_question(row: Row, context: Context) -> Iterator[Record]:
    """Yield one prompt per turn, and the reference answers."""
    turns, external_id = texts(row, "turns"), identifier(row, "question_id")
    references = texts(row, "reference") if row.get("reference") else []
    category = maybe_text(row, "category")
    for turn, prompt in enumerate(_prompts(turns), 1):
        yield prompt
        tags = (f"turn-{turn}", *((category,) if category else ()))
        yield Origin(prompt.prompt_key, context.dataset, f"{external_id}/{turn}", tags)
        if turn <= len(references):
            yield Reference(prompt.prompt_key, "mt-bench", references[turn - 1])


def _prompts(turns: list[str]) -> Iterator[Prompt]:
    said: list[Message] = []
    for turn in turns:
        said.append({"role": "user", "content": turn})
        yield Prompt(tuple(said))
        said.append({"role": "assistant", "content": None})


def parse_answer(row: Row, context: Context) -> Iterator[Record]:
    """Yield one answer per choice and turn, each pointing to the one before."""
    source = context.model(text(row, "model_id"))
    question_id, answer_id = identifier(row, "question_id"), maybe_text(row, "answer_id")
    for sample, choice in enumerate(objects(row, "choices")):
        previous: Response | None = None
        for turn, words in enumerate(texts(choice, "turns"), 1):
            previous = Response(
                prompt_key=context.prompt_key(f"{question_id}/{turn}", _HINT),
                source_key=source.source_key,
                text=words,
                sample_index=sample,
                previous_key=previous.response_key if previous else None,
                external_id=f"{answer_id}/{sample}/{turn}" if answer_id else None,
            )
            yield previous


def parse_judgment(row: Row, context: Context) -> Iterator[Record]:
    """Yield the judge's words and the score in them, for one turn of one model."""
    judge, rubric = _judge(row)
    answers = _judged_answers(row, context)
    answer = answers[-1]
    judgement = Judgement(
        prompt_key=answer.prompt_key,
        response_key=answer.response_key,
        other_key=None,
        judge=judge,
        judge_kind="model",
        rubric_key=rubric.rubric_key,
        raw=text(row, "judgment", may_be_empty=True),
    )
    value = number(row, "score")
    reason = "not_parsed" if value in (None, -1) else None
    yield from (*answers, rubric, judgement)
    yield Score(
        judgement_key=judgement.judgement_key,
        prompt_key=answer.prompt_key,
        source_key=answer.source_key,
        response_key=answer.response_key,
        judge=judge,
        judge_kind="model",
        rubric_key=rubric.rubric_key,
        dimension="overall",
        value=None if reason else value,
        reason=reason,
        parser=_PARSER,
    )


def _judged_answers(row: Row, context: Context) -> list[ShownResponse]:
    """Return the model's answers up to the judged turn, as the judge's prompt shows them."""
    turn = number(row, "turn")
    if turn not in (1, 2):
        fail("out_of_range", f"turn {row.get('turn')!r} is neither 1 nor 2")
    source = context.model(text(row, "model"))
    answers: list[ShownResponse] = []
    for position, words in enumerate(_shown_texts(text(row, "user_prompt"), int(turn)), 1):
        answers.append(
            ShownResponse(
                prompt_key=context.prompt_key(f"{identifier(row, 'question_id')}/{position}", _HINT),
                source_key=source.source_key,
                text=words,
                previous_key=answers[-1].response_key if answers else None,
            )
        )
    return answers


def _judge(row: Row) -> tuple[str, Rubric]:
    named = present(row, "judge")
    if not isinstance(named, list) or len(named) != 2 or not all(isinstance(part, str) for part in named):
        fail("wrong_type", "field 'judge' is not a pair of the judge's name and its prompt's")
    return named[0], Rubric(f"mt-bench/{named[1]}", scale_min=1, scale_max=10)


def _shown_texts(user_prompt: str, turn: int) -> list[str]:
    if turn == 1:
        match = _SINGLE.search(user_prompt)
        if not match:
            fail("no_answer", "the judge's prompt does not show the answer between FastChat's markers")
        return [match[1]]
    match = _CONVERSATION.search(user_prompt)
    parts = re.split(r"\n\n### (User|Assistant A):\n", f"\n{match[1]}") if match else []
    if parts[1::2] != ["User", "Assistant A"] * 2:
        fail("no_answer", "the judge's prompt does not show a conversation of two turns between FastChat's markers")
    return [parts[4], parts[8].removesuffix("\n")]
