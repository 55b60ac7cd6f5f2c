"""What an importer may ask about while it parses a row: fields, models, what the store holds already."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from tsodata.reading import Formula, parse_json
from tsodata.records import Message, Origin, Record, Response, Rubric, Source, SourceName

if TYPE_CHECKING:
    from pathlib import Path

    from tsodata.naming import Naming

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
    return _storable(value, name)


def maybe_text(row: Row, name: str) -> str | None:
    """Return a text field, or None where it is missing, null or empty; numbers become text."""
    value = row.get(name)
    if value is None or value == "":
        return None
    if type(value) is str:
        return _storable(value, name)
    if isinstance(value, (dict, list, bytes, Formula)):
        fail("wrong_type", f"field {name!r} is {type(value).__name__}, not text")
    if isinstance(value, (float, Decimal)) and not math.isfinite(value):
        fail("wrong_type", f"field {name!r} is {value}, neither text nor a finite number")
    return _storable(str(value), name)


def identifier(row: Row, name: str) -> str:
    """Return an id, which files hold as a number or as text, as text."""
    value = present(row, name)
    if not isinstance(value, (int, str)) or isinstance(value, bool):
        fail("wrong_type", f"field {name!r} is neither a whole number nor text")
    return _storable(str(value), name)


def _storable(value: str, name: str) -> str:
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError as error:
        fail("bad_content", f"field {name!r} holds half a surrogate pair at character {error.start + 1}")
    return value


def number(row: Row, name: str) -> float | None:
    """Return a finite number, also from its text, or None where the field is missing, null or empty."""
    value = row.get(name)
    if value is None or value == "":
        return None
    if type(value) is float and math.isfinite(value):
        return value
    try:
        result = math.nan if _is_odd_number(value) else float(value)
    except (TypeError, ValueError, OverflowError):
        fail("wrong_type", f"field {name!r} is {value!r}, not a number")
    if isinstance(value, bool) or not math.isfinite(result):
        fail("wrong_type", f"field {name!r} is {value!r}, not a finite number")
    return result


def _is_odd_number(value: object) -> bool:
    """Return whether only Python takes a value for a number: bytes, or digits with underscores between them."""
    return isinstance(value, (bytes, bytearray)) or (isinstance(value, str) and "_" in value)


def integer(row: Row, name: str) -> int | None:
    """Return a whole number of 64 bits, or None where the field is missing, null or empty."""
    rounded = number(row, name)
    if rounded is None:
        return None
    value = row[name]
    try:
        whole = int(value)  # from the field itself: a float holds 53 bits only
    except ValueError:
        whole = int(rounded)
    if float(whole) != rounded:
        fail("wrong_type", f"field {name!r} is {value!r}, not a whole number")
    if not -(2**63) <= whole < 2**63:
        fail("out_of_range", f"field {name!r} is {value!r}, more than 64 bits hold")
    return whole


def sample_index(row: Row, name: str) -> int:
    """Return which of several draws a row is, counted from 0, where nothing is said."""
    index = integer(row, name) or 0
    if not 0 <= index < 2**31:
        fail("out_of_range", f"field {name!r} is {index}, not a count from 0")
    return index


def from_json(value: object, name: str) -> Any:
    """Return a value, read from JSON where it is text, as CSV files hold lists and objects."""
    if not isinstance(value, str):
        return value
    try:
        return parse_json(value)
    except ValueError as error:
        fail("wrong_type", f"field {name!r} is not valid JSON: {error}")


def texts(row: Row, name: str) -> list[str]:
    """Return a list of texts, any of which may be empty."""
    value = present(row, name)
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        fail("wrong_type", f"field {name!r} is not a list of texts")
    return [_storable(item, name) for item in value]


def objects(row: Row, name: str) -> list[Row]:
    """Return a list of objects."""
    value = present(row, name)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        fail("wrong_type", f"field {name!r} is not a list of objects")
    if not value:
        fail("empty_field", f"field {name!r} is empty")
    return value


def messages(value: object, name: str) -> tuple[Message, ...]:
    """Return chat messages, checked, from a list or its JSON."""
    items = from_json(value, name)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        fail("wrong_type", f"field {name!r} is not a list of messages")
    turns: list[Message] = []
    for item in items:
        role, content = item.get("role"), item.get("content")
        if not isinstance(role, str) or not isinstance(content, str):
            fail("wrong_type", f"a message in {name!r} lacks a text for 'role' or 'content'")
        turns.append({"role": role, "content": _storable(content, name)})
    return tuple(turns)


class Answer(NamedTuple):
    """An answer that the store holds, by its keys."""

    response_key: int
    prompt_key: int
    source_key: int


class Named(NamedTuple):
    """A stored answer that a file names by its id: whose prompt it answers, the hash of its text, and who gave it."""

    prompt_key: int
    text_key: int
    source_key: int


@dataclass(slots=True)
class Lookup:
    """What the store holds, and what this import has seen, by the ids that files use."""

    prompts: dict[tuple[str, str], int] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    by_cell: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    sources: dict[int, list[int]] = field(default_factory=dict)  # who answered a prompt
    named: dict[int, Named] = field(default_factory=dict)  # by response_key
    rubrics: dict[int, Rubric] = field(default_factory=dict)  # by rubric_key

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
        if not keys:
            self.sources.setdefault(answer.prompt_key, []).append(answer.source_key)
        if answer.response_key not in keys:
            keys.append(answer.response_key)


@dataclass(slots=True, kw_only=True)
class Context:
    """One file being imported. `sources` holds what its rows name, until it is stored with them."""

    path: Path
    stem: str
    naming: Naming
    lookup: Lookup
    dataset: str
    mapping: Mapping[str, str] = field(default_factory=dict)
    human: str | None = None
    judge: str | None = None
    by: str | None = None
    sources: list[Record] = field(default_factory=list)
    _by_name: dict[str, Source] = field(default_factory=dict)
    _kept_keys: set[int] = field(default_factory=set)

    def model(self, name: str) -> Source:
        """Return the source that a file's model name stands for, and have it stored."""
        if name not in self._by_name:
            source = self.naming.source(name)
            stated = SourceName(source.source_key, name)  # refuses what is no name, before anything is kept
            self._by_name[name] = self.keep(source)
            self.sources.append(stated)
        return self._by_name[name]

    def flagged(self) -> Source | None:
        """Return the cell that the flags name, for files that name no model."""
        source = self.naming.flagged()
        return self.keep(source) if source else None

    def people(self, name: str | None = None) -> Source:
        """Return people as a source, and have them stored."""
        return self.keep(Source.people(name or self.human or "human"))

    def keep(self, source: Source) -> Source:
        """Return a source, and have it stored."""
        if source.source_key not in self._kept_keys:
            self._kept_keys.add(source.source_key)
            self.sources.append(source)
        return source

    def prompt_key(self, external_id: str, hint: str) -> int:
        """Return the key of a prompt that was imported before, by its id in the data set."""
        key = self.lookup.prompts.get((self.dataset, external_id))
        if key is None:
            where = f"question {external_id} of {self.dataset!r}"
            fail("unknown_prompt", f"{where} is not in the store; import {hint} first")
        return key
