"""FastChat MT-Bench: questions of two turns, answers, and single-answer judgments (1-10; -1 means none).

A question becomes two prompts. The second holds the answering model's own first answer as an open turn, so all models
share it; an answer to it points to the answer before. A judgment carries the answer in its prompt: where the store lacks
that answer, it is stored as shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tsodata.importers.context import Context, Row, fail, maybe_text, number, present, text
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

_HINT = "the questions (mt-bench-questions)"
_SINGLE = re.compile(r"\[The Start of Assistant's Answer\]\n(.*)\n\[The End of Assistant's Answer\]", re.DOTALL)
_CONVERSATION = re.compile(r"<\|The Start of Assistant A's Conversation with User\|>\n(.*)\n<\|The End", re.DOTALL)
_PARSER = "fastchat"


def parse_question(row: Row, context: Context) -> Iterator[Record]:
    """Yield one prompt per turn, and the reference answers."""
    turns, external_id = _texts(row, "turns"), _question_id(row)
    references = _texts(row, "reference") if row.get("reference") else []
    category = maybe_text(row, "category")
    for number_, prompt in enumerate(_prompts(turns), 1):
        yield prompt
        tags = (f"turn-{number_}", *((category,) if category else ()))
        yield Origin(prompt.prompt_key, context.dataset, f"{external_id}/{number_}", tags)
        if number_ <= len(references):
            yield Reference(prompt.prompt_key, "mt-bench", references[number_ - 1])


def _prompts(turns: list[str]) -> Iterator[Prompt]:
    said: list[Message] = []
    for turn in turns:
        said.append({"role": "user", "content": turn})
        yield Prompt(tuple(said))
        said.append({"role": "assistant", "content": None})


def parse_answer(row: Row, context: Context) -> Iterator[Record]:
    """Yield one answer per choice and turn, each pointing to the one before."""
    source = context.model(text(row, "model_id"))
    external_id = _question_id(row)
    choices = present(row, "choices")
    if not isinstance(choices, list) or not choices or not all(isinstance(choice, dict) for choice in choices):
        fail("wrong_type", "field 'choices' is not a list of objects")
    for sample, choice in enumerate(choices):
        previous: Response | None = None
        for turn, words in enumerate(_texts(choice, "turns"), 1):
            previous = Response(
                context.prompt_key(f"{external_id}/{turn}", _HINT),
                source.source_key,
                words,
                sample_index=sample,
                previous_key=previous.response_key if previous else None,
                external_id=f"{maybe_text(row, 'answer_id')}/{sample}/{turn}",
            )
            yield previous


def parse_judgment(row: Row, context: Context) -> Iterator[Record]:
    """Yield the judge's words and the score in them, for one turn of one model."""
    turn = number(row, "turn")
    if turn not in (1, 2):
        fail("out_of_range", f"turn {turn} is neither 1 nor 2")
    judge, rubric = _judge(row)
    source = context.model(text(row, "model"))
    prompts = [context.prompt_key(f"{_question_id(row)}/{t}", _HINT) for t in range(1, int(turn) + 1)]
    answer: Response | None = None
    for prompt_key, words in zip(prompts, _shown_answers(text(row, "user_prompt"), int(turn)), strict=True):
        previous_key = answer.response_key if answer else None
        answer = ShownResponse(prompt_key, source.source_key, words, previous_key=previous_key)
        yield answer
    assert answer is not None
    judgement = Judgement(
        answer.prompt_key,
        answer.response_key,
        None,
        judge,
        "model",
        rubric.rubric_key,
        raw=text(row, "judgment", may_be_empty=True),
    )
    value = number(row, "score")
    reason = "not_parsed" if value in (None, -1) else None
    yield from (rubric, judgement)
    yield Score(
        judgement.judgement_key,
        answer.prompt_key,
        answer.source_key,
        answer.response_key,
        judge,
        "model",
        rubric.rubric_key,
        "overall",
        value=None if reason else value,
        reason=reason,
        parser=_PARSER,
    )


def _judge(row: Row) -> tuple[str, Rubric]:
    named = present(row, "judge")
    if not isinstance(named, list) or len(named) != 2 or not all(isinstance(part, str) for part in named):
        fail("wrong_type", "field 'judge' is not a pair of the judge's name and its prompt's")
    return named[0], Rubric(f"mt-bench/{named[1]}", scale_min=1, scale_max=10)


def _shown_answers(user_prompt: str, turn: int) -> list[str]:
    """Return the model's answers up to a turn, as the judge's prompt shows them."""
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


def _question_id(row: Row) -> str:
    value = present(row, "question_id")
    if not isinstance(value, (int, str)) or isinstance(value, bool):
        fail("wrong_type", "field 'question_id' is neither a number nor text")
    return str(value)


def _texts(row: Row, name: str) -> list[str]:
    value = present(row, name)
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        fail("wrong_type", f"field {name!r} is not a list of texts")
    return value
