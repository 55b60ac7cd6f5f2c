"""What an importer may ask about while it parses a row: fields, models, what the store holds already."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from tsodata.naming import Naming
from tsodata.records import Message, Origin, Record, Response, Source, SourceName

Row = Mapping[str, Any]
Parse = Callable[[Row, "Context"], Iterable[Record]]


class Refused(Exception):  # noqa: N818  a verdict on a row, never shown as an error
    """A row that adds nothing, with its reason: a short word to count by, and the detail."""

    def __init__(self, status: str, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.reason, self.detail = status, reason, detail


def fail(reason: str, detail: str) -> NoReturn:
    """Refuse a row that should have been usable."""
    raise Refused("failed", reason, detail)


def skip(reason: str, detail: str) -> NoReturn:
    """Pass over a row that rightly holds nothing for the store."""
    raise Refused("skipped", reason, detail)


def present(row: Row, name: str) -> Any:
    """Return a field that must be there."""
    if name not in row:
        found = ", ".join(repr(key) for key in list(row)[:8]) or "nothing"
        fail("missing_field", f"no field {name!r}; found {found}")
    return row[name]


def text(row: Row, name: str, *, may_be_empty: bool = False) -> str:
    """Return a text field."""
    value = present(row, name)
    if not isinstance(value, str):
        fail("wrong_type", f"field {name!r} is {type(value).__name__}, not text")
    if not may_be_empty and not value.strip():
        fail("empty_field", f"field {name!r} is empty")
    return value


def maybe_text(row: Row, name: str) -> str | None:
    """Return a text field, or None where it is missing, null or empty; numbers become text."""
    value = row.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, (dict, list)):
        fail("wrong_type", f"field {name!r} is {type(value).__name__}, not text")
    return str(value)


def number(row: Row, name: str) -> float | None:
    """Return a finite number, also from its text, or None where the field is missing, null or empty."""
    value = row.get(name)
    if value is None or value == "":
        return None
    try:
        result = float(value)
    except (TypeError, ValueError):
        fail("wrong_type", f"field {name!r} is {value!r}, not a number")
    if isinstance(value, bool) or not math.isfinite(result):
        fail("wrong_type", f"field {name!r} is {value!r}, not a finite number")
    return result


def integer(row: Row, name: str) -> int | None:
    """Return a whole number, or None where the field is missing, null or empty."""
    value = number(row, name)
    if value is not None and value != int(value):
        fail("wrong_type", f"field {name!r} is {value!r}, not a whole number")
    return None if value is None else int(value)


def messages(value: object, name: str) -> tuple[Message, ...]:
    """Return chat messages, checked."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        fail("wrong_type", f"field {name!r} is not a list of messages")
    turns: list[Message] = []
    for item in value:
        role, content = item.get("role"), item.get("content")
        if not isinstance(role, str) or not isinstance(content, str):
            fail("wrong_type", f"a message in {name!r} lacks a text for 'role' or 'content'")
        turns.append({"role": role, "content": content})
    return tuple(turns)


class Answer(NamedTuple):
    """An answer that the store holds, by its keys."""

    response_key: int
    prompt_key: int
    source_key: int


@dataclass(slots=True)
class Lookup:
    """What the store holds, and what this import has seen, by the ids that files use."""

    prompts: dict[tuple[str, str], int] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    by_cell: dict[tuple[int, int], list[int]] = field(default_factory=dict)

    def note(self, records: Iterable[Record]) -> None:
        """Remember records of this import that others may refer to."""
        for record in records:
            if isinstance(record, Origin) and record.external_id is not None:
                self.prompts[record.dataset, record.external_id] = record.prompt_key
            elif isinstance(record, Response):
                self.add_answer(Answer(record.response_key, record.prompt_key, record.source_key), record.external_id)

    def add_answer(self, answer: Answer, external_id: str | None) -> None:
        """Remember one answer."""
        if external_id is not None:
            self.answers[external_id] = answer
        keys = self.by_cell.setdefault((answer.prompt_key, answer.source_key), [])
        if answer.response_key not in keys:
            keys.append(answer.response_key)


@dataclass(slots=True)
class Context:
    """One file being imported."""

    path: Path
    stem: str
    naming: Naming
    lookup: Lookup
    dataset: str
    mapping: Mapping[str, str] = field(default_factory=dict)
    human: str | None = None
    judge: str | None = None
    sources: list[Record] = field(default_factory=list)
    _seen: dict[str, Source] = field(default_factory=dict)

    def model(self, name: str) -> Source:
        """Return the source that a file's model name stands for, and have it stored."""
        if name not in self._seen:
            self._seen[name] = self.naming.source(name)
            self.sources += [self._seen[name], SourceName(self._seen[name].source_key, name)]
        return self._seen[name]

    def flagged(self) -> Source | None:
        """Return the cell that the flags name, for files that name no model."""
        source = self.naming.flagged()
        return self._kept(source) if source else None

    def people(self, name: str | None = None) -> Source:
        """Return people as a source, and have them stored."""
        return self._kept(Source.people(name or self.human or "human"))

    def cell(self, source: Source) -> Source:
        """Return a source that the row itself states, and have it stored."""
        return self._kept(source)

    def _kept(self, source: Source) -> Source:
        if source.label not in self._seen:
            self._seen[source.label] = source
            self.sources.append(source)
        return source

    def prompt_key(self, external_id: str, hint: str) -> int:
        """Return the key of a prompt that was imported before, by its id in the data set."""
        key = self.lookup.prompts.get((self.dataset, external_id))
        if key is None:
            fail(
                "unknown_prompt", f"question {external_id} of {self.dataset!r} is not in the store; import {hint} first"
            )
        return key
