"""Argilla's records, as its versions 1 and 2 export them to JSON and to `datasets`.

Four shapes are read, told apart by their keys:

- nested, 2.x `to_json`: `id, fields{}, metadata{}, suggestions{question: {value, agent}}, responses{question: [{value,
  user_id}]}`; the server's own has `responses[{values{question: {value}}, user_id, status}]` and a list of suggestions;
- flat, 2.x `to_datasets`: a column per field, `question.responses`, `.responses.users`, `.responses.status`,
  `question.suggestion`, `.suggestion.agent`;
- flat, 1.x: a column per field, each question a list of `{user_id, value, status}` (or an object of three lists),
  `question-suggestion`, `question-suggestion-metadata`.

Rating, label and ranking questions are read as annotations.py says; text, multi-label and span questions are of an
unknown type there. Users are the judges, a suggestion's agent is a model that judges. Drafts and discarded responses
do not count. A record that nobody has answered adds its prompt and its answers. `to_datasets` writes a suggested label
as its number, so a suggested number in a flat 2.x row counts only where a person answered the question with a number.

A record whose metadata names one of the store's answers, as `tso-data export-corrections` writes them, adds neither
prompt nor answer: each user's submitted `score`, with the `reason` beside it, is a correction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tsodata.importers.annotations import Told, find_answers, find_prompt, is_number, read_time, verdicts
from tsodata.importers.context import Context, Row, fail, from_json, maybe_text
from tsodata.importers.corrections import ID, REASON, SCORE, Filled, corrections
from tsodata.importers.verdicts import Judge
from tsodata.records import Origin, Record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_RESPONSES, _SUGGESTION, _OLD_SUGGESTION = ".responses", ".suggestion", "-suggestion"
_NO_USER = ("None", "")
_UNFIT = {None: None, "submitted": None, "draft": "draft", "discarded": "discarded"}


class _Given(NamedTuple):
    """A value that a user, or an agent, gave to a question; `unfit` says why it does not count."""

    question: str
    value: object
    who: object
    unfit: str | None = None


def parse(row: Row, context: Context) -> Iterator[Record]:
    """Yield the prompt, the answers, and what users and agents said of them."""
    nested = "fields" in row
    fields = _object(row, "fields") if nested else row
    metadata = _metadata(row)
    if ID in metadata:
        given = list(_nested_responses(row) if nested else _flat_responses(row))
        yield from corrections(metadata, _filled(given, read_time(row.get("updated_at"))), context)
        return
    prompt = find_prompt(fields, context)
    answers = find_answers(fields, metadata, prompt=prompt, context=context)
    external_id = maybe_text(row, "external_id") or maybe_text(row, "id")
    yield from (prompt, Origin(prompt.prompt_key, context.dataset, external_id), *answers.values())
    responded = list(_nested_responses(row) if nested else _flat_responses(row))
    suggested = _nested_suggestions(row) if nested else _flat_suggestions(row, responded)
    made_at = read_time(row.get("updated_at"))
    told = [Told(one.question, one.value, _judge(one.who, "model", context), one.unfit) for one in suggested]
    told += [
        Told(one.question, one.value, _judge(one.who, "human", context), one.unfit, made_at=made_at)
        for one in responded
    ]
    yield from verdicts(told, answers, context.dataset)


def names(row: Row) -> list[object]:
    """Return the id of the stored answer that a record asks about, where it does."""
    found = row.get("metadata")
    return [found[ID]] if isinstance(found, dict) and ID in found else [row.get(f"metadata.{ID}")]


def _filled(given: list[_Given], made_at: datetime | None) -> list[Filled]:
    """Return what each user submitted: a score and the reason for it."""
    submitted = {(one.question, str(one.who)): one.value for one in given if one.unfit is None}
    return [
        Filled(value, None if who in _NO_USER else who, submitted.get((REASON, who)), made_at)
        for (question, who), value in submitted.items()
        if question == SCORE
    ]


def _judge(who: object, kind: str, context: Context) -> Judge:
    """Return who judged; a file that does not say leaves --judge, else the data set."""
    if isinstance(who, (dict, list)):
        fail("wrong_type", "a user or agent is neither text nor a number")
    name = "" if who is None else str(who)
    return Judge(context.judge or context.dataset if name in _NO_USER else name, kind)


def _nested_suggestions(row: Row) -> Iterator[_Given]:
    listed = row.get("suggestions") or {}
    if isinstance(listed, dict):
        listed = [{"question_name": name, **_as_object(value, name)} for name, value in listed.items()]
    for item in _objects(listed, "suggestions"):
        name = item.get("question_name")
        if not isinstance(name, str):
            fail("missing_field", "a suggestion lacks its 'question_name'")
        yield _Given(name, item.get("value"), item.get("agent"))


def _nested_responses(row: Row) -> Iterator[_Given]:
    listed = row.get("responses") or {}
    if isinstance(listed, list):
        for response in _objects(listed, "responses"):
            values = _as_object(response.get("values") or {}, "values")
            for name, value in values.items():
                yield _Given(name, _as_object(value, name).get("value"), response.get("user_id"), _unfit(response))
        return
    for name, given in _as_object(listed, "responses").items():
        for response in _objects(given, name):
            yield _Given(name, response.get("value"), response.get("user_id"), _unfit(response))


def _flat_suggestions(row: Row, responded: list[_Given]) -> Iterator[_Given]:
    rated = {one.question for one in responded if is_number(one.value)}
    for column, value in row.items():
        if value is None:
            continue
        if column.endswith(_SUGGESTION):
            question = column.removesuffix(_SUGGESTION)
            unfit = "unknown_question" if is_number(value) and question not in rated else None
            yield _Given(question, value, row.get(f"{column}.agent"), unfit)
        elif column.endswith(_OLD_SUGGESTION):
            about = _as_object(row.get(f"{column}-metadata") or {}, f"{column}-metadata")
            yield _Given(column.removesuffix(_OLD_SUGGESTION), value, about.get("agent"))


def _flat_responses(row: Row) -> Iterator[_Given]:
    for column, value in row.items():
        if column.endswith(_RESPONSES) and value is not None:
            users, statuses = row.get(f"{column}.users"), row.get(f"{column}.status")
            question = column.removesuffix(_RESPONSES)
            yield from _side_by_side(question, value, users=users, statuses=statuses)
        elif isinstance(value, dict) and {"user_id", "value"} <= set(value):
            yield from _side_by_side(column, value["value"], users=value["user_id"], statuses=value.get("status"))
        elif (
            isinstance(value, list)
            and value
            and all(isinstance(v, dict) and {"user_id", "value"} <= set(v) for v in value)
        ):
            for response in value:
                yield _Given(column, response["value"], response["user_id"], _unfit(response))


def _side_by_side(question: str, values: object, *, users: object, statuses: object) -> Iterator[_Given]:
    """Yield the responses of lists of values, users and statuses, which have one item for each response."""
    if not isinstance(values, list):
        fail("wrong_type", f"the responses to {question!r} are not a list")
    lists = [values, *([None] * len(values) if given is None else given for given in (users, statuses))]
    if not all(isinstance(given, list) and len(given) == len(values) for given in lists):
        fail("unequal_lengths", f"the responses to {question!r}, their users and statuses are not lists of one length")
    for value, user, status in zip(*lists, strict=True):
        yield _Given(question, value, user, _unfit({"status": status}))


def _unfit(response: Row) -> str | None:
    """Return why a response does not count, by its status."""
    status = response.get("status")
    return _UNFIT.get(status, "not_submitted") if status is None or isinstance(status, str) else "not_submitted"


def _metadata(row: Row) -> Row:
    """Return the metadata, which 1.x holds as JSON text, and flat 2.x in columns of their own."""
    value = from_json(row.get("metadata") or {}, "metadata")
    flat = {name.removeprefix("metadata."): given for name, given in row.items() if name.startswith("metadata.")}
    return {**_as_object(value, "metadata"), **flat}


def _object(row: Row, name: str) -> Row:
    return _as_object(row[name], name)


def _as_object(value: object, name: str) -> dict[str, object]:
    if not isinstance(value, dict):
        fail("wrong_type", f"field {name!r} is {type(value).__name__}, not an object")
    return value


def _objects(value: object, name: str) -> list[Row]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        fail("wrong_type", f"field {name!r} is not a list of objects")
    return value
