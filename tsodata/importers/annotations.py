"""What people say of the answers in a record of an annotation tool, whose files name fields and questions freely.

The prompt is the field that `--map prompt=FIELD` names, else the first of `prompt, instruction, question, query, input,
messages`. The answers are the fields of `--map response=FIELD,FIELD`, else `response`, `answer`, `completion`,
`generation` or `output`, each also numbered or lettered (`response_1`, `answer-b`, `text2`). An answer's model is the
field or metadata `<answer>_model`, or `--map model=FIELD`, else `model`, else a source by the data set's name.

A file does not say of which type a question is; the value tells:

- a number rates the one answer, or the one of several that the question names (`rating_1` is of `response_1`);
- the name of an answer prefers it to the others, and `tie` prefers none;
- a list of names with ranks prefers each answer to those ranked lower.

Anything else is of an unknown type, and a value that was not submitted does not count: both are NULL with the reason,
as a score where there is one answer, as a preference where there are several. A person's number beside a model's for
the same question is a correction of it where the file says when it was made, else a score of its own.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from tsodata.importers.candidates import asked, unnamed
from tsodata.importers.context import Context, Row, fail, maybe_text, text
from tsodata.importers.verdicts import Judge, Reading, Said, preference, read_number, score
from tsodata.records import Correction, Prompt, Record, Response, Rubric

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PROMPTS = ("prompt", "instruction", "question", "query", "input", "messages")
_ANSWERS = ("response", "answer", "completion", "generation", "output")
_NUMBERED = re.compile(rf"^(?:{'|'.join((*_ANSWERS, 'text'))})[-_ ]?(\d+|[a-h])$", re.IGNORECASE)
_NO_LETTERS = re.compile(r"[^a-z0-9]+")


class Told(NamedTuple):
    """One value that somebody gave to a question; `unfit` says why it does not count, `about` the answer it is of."""

    question: str
    value: object
    judge: Judge
    unfit: str | None = None
    about: str | None = None
    made_at: datetime | None = None
    external_id: str | None = None


def read_time(value: object) -> datetime | None:
    """Return a time in UTC without a zone, from a datetime or ISO text, or None where it is missing or unreadable."""
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else value
        if not isinstance(time, datetime):
            return None
        return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
    except (ValueError, OverflowError):  # the first and last day of the calendar have no time in UTC
        return None


def find_prompt(fields: Row, context: Context) -> Prompt:
    """Return the prompt of a record's fields."""
    return asked(fields, _prompt_name(fields, context))


def find_answers(fields: Row, metadata: Row, *, prompt: Prompt, context: Context) -> dict[str, Response]:
    """Return the answers of a record by the names of their fields, in the order of their numbers."""
    return {
        name: Response(prompt.prompt_key, _source_key(name, {**metadata, **fields}, context), _words(fields, name))
        for name in _answer_names(fields, context)
    }


def verdicts(told: list[Told], answers: Mapping[str, Response], dataset: str) -> Iterator[Record]:
    """Yield the scores, corrections and preferences in what was told of a record's answers."""
    rated = {one.question for one in told if one.judge.kind == "model" and one.unfit is None and is_number(one.value)}
    for one in told:
        said = Said(_raw(one.value), one.external_id)
        target = _target(one, answers)
        if one.unfit is None and is_number(one.value) and target:
            yield from _rating(one, target, said=said, dataset=dataset, corrects=one.question in rated)
            continue
        read = _preferences(one.value, answers) if one.unfit is None else []
        yield from _compared(one, read, answers, said=said, dataset=dataset)


def _rating(one: Told, answer: Response, *, said: Said, dataset: str, corrects: bool) -> Iterator[Record]:
    rubric = Rubric(dataset)
    read = read_number(one.value, one.question)
    if not (corrects and one.judge.kind == "human" and one.made_at and read.value is not None):
        yield from score(answer, read, judge=one.judge, rubric=rubric, dimension=one.question, said=said)
        return
    yield rubric
    yield Correction(
        prompt_key=answer.prompt_key,
        response_key=answer.response_key,
        rubric_key=rubric.rubric_key,
        dimension=one.question,
        value=read.value,
        author=one.judge.name,
        author_kind=one.judge.kind,
        reason=None,
        made_at=one.made_at,
    )


def _compared(
    one: Told, read: list[tuple[str, str, float]], answers: Mapping[str, Response], *, said: Said, dataset: str
) -> Iterator[Record]:
    """Yield the preferences that were read, or a NULL where there are none."""
    rubric = Rubric(f"{dataset}/{one.question}", kind="pairwise")
    for a, b, value in read:
        sides = (answers[a], answers[b])
        yield from preference(sides, Reading(value), judge=one.judge, rubric=rubric, is_hard=True, said=said)
    if read:
        return
    nothing = Reading(None, one.unfit or "unknown_question")
    first, *others = answers.values()
    if others:
        sides = (first, others[0])
        yield from preference(sides, nothing, judge=one.judge, rubric=rubric, is_hard=True, said=said)
    else:
        yield from score(first, nothing, judge=one.judge, rubric=Rubric(dataset), dimension=one.question, said=said)


def _preferences(value: object, answers: Mapping[str, Response]) -> list[tuple[str, str, float]]:
    """Return the pairs of answers that a choice or a ranking orders, each with how much the first is preferred."""
    if isinstance(value, str) and len(answers) > 1:
        if value == "tie":
            return [(a, b, 0.5) for a, b in combinations(answers, 2)]
        if value in answers:
            return [(a, b, float(a == value)) for a, b in combinations(answers, 2) if value in (a, b)]
    ranks = _ranks(value)
    if len(ranks) < 2 or not set(ranks) <= set(answers):
        return []
    return [
        (a, b, 0.5 if ranks[a] == ranks[b] else float(ranks[a] < ranks[b]))
        for a, b in combinations([name for name in answers if name in ranks], 2)
    ]


def _ranks(value: object) -> dict[str, float]:
    """Return the rank of each name, from a list of objects or from an object of two lists, as Parquet holds it."""
    if isinstance(value, dict) and isinstance(value.get("value"), list) and isinstance(value.get("rank"), list):
        value = [{"value": name, "rank": rank} for name, rank in zip(value["value"], value["rank"], strict=False)]
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        return {}
    ranks: dict[str, float] = {}
    for item in value:
        name, rank = item.get("value"), item.get("rank")
        number = read_number(rank, "rank").value if is_number(rank) else None
        if not isinstance(name, str) or name in ranks or number is None:
            return {}
        ranks[name] = number
    return ranks


def _target(one: Told, answers: Mapping[str, Response]) -> Response | None:
    """Return the answer that a rating is of: the only one, or the one that the question names."""
    if len(answers) == 1:
        return next(iter(answers.values()))
    if one.about is not None and one.about in answers:
        return answers[one.about]
    question = _NO_LETTERS.sub("_", one.question.lower())
    named = [
        name
        for name in answers
        if _NO_LETTERS.sub("_", name.lower()) in question or (_number(name) and question.endswith(f"_{_number(name)}"))
    ]
    return answers[named[0]] if len(named) == 1 else None


def _prompt_name(fields: Row, context: Context) -> str:
    mapped = context.mapping.get("prompt")
    name = mapped or next((name for name in _PROMPTS if fields.get(name) not in (None, "")), None)
    if name is None:
        found = ", ".join(repr(name) for name in list(fields)[:8]) or "nothing"
        fail("missing_field", f"no field for the prompt; found {found}. Pass --map prompt=FIELD")
    return name


def _answer_names(fields: Row, context: Context) -> list[str]:
    mapped = context.mapping.get("response")
    if mapped:
        return [name.strip() for name in mapped.split(",") if name.strip()]
    numbered = sorted((name for name in fields if _number(name)), key=lambda name: (len(_number(name)), _number(name)))
    names = numbered or [name for name in _ANSWERS if fields.get(name) is not None][:1]
    if not names:
        found = ", ".join(repr(name) for name in list(fields)[:8]) or "nothing"
        fail("missing_field", f"no field for the answers; found {found}. Pass --map response=FIELD,FIELD")
    return names


def _number(name: str) -> str:
    match = _NUMBERED.match(name)
    return match[1].lower() if match else ""


def _words(fields: Row, name: str) -> str:
    return text(fields, name, may_be_empty=True)


def _source_key(name: str, known: Row, context: Context) -> int:
    columns = (f"{name}_model", context.mapping.get("model", "model"))
    model = next(filter(None, (maybe_text(known, column) for column in columns)), None)
    return (context.model(model) if model else unnamed(context)).source_key


def is_number(value: object) -> bool:
    """Return whether a value is a number, which a boolean is not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _raw(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
