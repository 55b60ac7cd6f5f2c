"""The nouns as frozen records, each one row of the table it names.

A record's fields are the columns of its table, and its key comes from its content when it is made. Nothing here knows
files or the store. Bad content raises ValueError, which an importer turns into a counted refusal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, ClassVar, TypedDict

from tsodata.provenance import canonical_json, check_names, content_key, double
from tsodata.sizes import format_size

ROLES = ("system", "user", "assistant")


class Message(TypedDict):
    """One turn. An assistant turn whose content is None is the answering source's own earlier answer."""

    role: str
    content: str | None


class Record:
    """Base of the records: the table, and the values in the order of its columns."""

    __slots__ = ()
    table: ClassVar[str]

    def values(self) -> tuple[object, ...]:
        """Return the row, in the order of the fields."""
        return _row_of(type(self))(self)


_COLUMNS: dict[type, tuple[str, ...]] = {}
_ROW_OF: dict[type, Callable[[Any], tuple[object, ...]]] = {}


def column_names(record_type: type[Record]) -> tuple[str, ...]:
    """Return the columns of a record's table, without `commit_seq`."""
    if record_type not in _COLUMNS:
        _COLUMNS[record_type] = tuple(f.name for f in fields(record_type))  # type: ignore[arg-type]
    return _COLUMNS[record_type]


def _row_of(record_type: type[Record]) -> Callable[[Any], tuple[object, ...]]:
    """Return what reads a record's fields; every table has two columns or more, so it returns a tuple."""
    if record_type not in _ROW_OF:
        _ROW_OF[record_type] = attrgetter(*column_names(record_type))
    return _ROW_OF[record_type]


def _set(record: Record, **derived: object) -> None:
    for name, value in derived.items():
        object.__setattr__(record, name, value)


@dataclass(frozen=True, slots=True)
class Source(Record):
    """Who answers: a cell of the matrix (Def. 1), a model outside it, or people."""

    table: ClassVar[str] = "sources"
    source_key: int = field(init=False)
    kind: str
    label: str = field(init=False)
    family: str | None = None
    version: str | None = None
    size_b: float | None = None

    def __post_init__(self) -> None:
        if not self.family:
            raise ValueError("a source needs a family; people are Source.people()")
        check_names(self.family, self.version)
        _set(self, version=self.version or None, size_b=double(self.size_b))
        parts = (self.kind, self.family, self.version, self.size_b)
        _set(self, source_key=content_key("source", *parts), label=self._label())

    def _label(self) -> str:
        if self.kind == "human":
            return "human" if self.family == "human" else f"human:{self.family}"
        if self.size_b is not None:
            return f"{self.family}/{self.version or '-'}/{format_size(self.size_b)}"
        return f"{self.family}/{self.version}" if self.version else str(self.family)

    @classmethod
    @lru_cache(maxsize=1024, typed=True)  # every row of a file names its source
    def people(cls, name: str = "human") -> Source:
        """Return people as a source; `name` tells groups of people apart."""
        return cls(kind="human", family=name)

    @classmethod
    @lru_cache(maxsize=1024, typed=True)  # as above; 7 and 7.0 have two keys
    def model(cls, family: str, version: str | None = None, size_b: float | None = None) -> Source:
        """Return a model; one without a size stands outside every matrix."""
        return cls(kind="model", family=family, version=version, size_b=size_b)


@dataclass(frozen=True, slots=True)
class SourceName(Record):
    """A name that a file used for a source."""

    table: ClassVar[str] = "source_names"
    source_name_key: int = field(init=False)
    source_key: int
    name: str

    def __post_init__(self) -> None:
        check_names(self.name)
        _set(self, source_name_key=content_key("source_name", self.source_key, self.name))


@dataclass(frozen=True, slots=True)
class VersionOrder(Record):
    """The versions of a family, oldest first, as somebody stated them; the latest statement counts."""

    table: ClassVar[str] = "version_orders"
    version_order_key: int = field(init=False)
    family: str
    versions: tuple[str, ...]
    stated_by: str

    def __post_init__(self) -> None:
        _set(self, version_order_key=content_key("version_order", self.family, self.versions))


@dataclass(frozen=True, slots=True)
class Prompt(Record):
    """What is asked: an optional system message and turns, the last of them the user's."""

    table: ClassVar[str] = "prompts"
    prompt_key: int = field(init=False)
    messages: tuple[Message, ...]
    text: str = field(init=False)
    n_turns: int = field(init=False)
    own_turns: bool = field(init=False)

    def __post_init__(self) -> None:
        _check_messages(self.messages)
        turns = [(m["role"], m["content"]) for m in self.messages]
        _set(
            self,
            prompt_key=content_key("prompt", turns),
            text=transcript(self.messages),
            n_turns=sum(role == "user" for role, _ in turns),
            own_turns=any(content is None for _, content in turns),
        )

    @classmethod
    @lru_cache(maxsize=16)  # the rows of one prompt mostly follow each other; texts may be large
    def of_user(cls, text: str, *, system: str | None = None) -> Prompt:
        """Return a prompt of one user turn."""
        head: tuple[Message, ...] = ({"role": "system", "content": system},) if system else ()
        return cls(messages=(*head, {"role": "user", "content": text}))


def _check_messages(messages: Sequence[Message]) -> None:
    if not messages or messages[-1]["role"] != "user":
        raise ValueError("a prompt ends with a user turn")
    for position, message in enumerate(messages):
        role, content = message["role"], message["content"]
        if role not in ROLES:
            raise ValueError(f"role {role!r} is none of {', '.join(ROLES)}")
        if role == "system" and position > 0:
            raise ValueError("a system message stands first")
        if content is None and role != "assistant":
            raise ValueError(f"a {role} turn has no content")
        if content is not None and not content.strip():
            raise ValueError(f"a {role} turn is empty")


def transcript(messages: Sequence[Message]) -> str:
    """Return the words of a prompt for people: the user's text, or a transcript of several messages."""
    if len(messages) == 1:
        return str(messages[0]["content"])
    own = "(the answering source's own answer)"
    return "\n\n".join(f"[{m['role']}]\n{own if m['content'] is None else m['content']}" for m in messages)


@dataclass(frozen=True, slots=True)
class Origin(Record):
    """Where a prompt came from: a data set, its id there, tags."""

    table: ClassVar[str] = "prompt_origins"
    origin_key: int = field(init=False)
    prompt_key: int
    dataset: str
    external_id: str | None = None
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_names(self.dataset, *self.tags)
        _set(self, origin_key=content_key("origin", self.prompt_key, self.dataset, self.external_id, self.tags))


@dataclass(frozen=True, slots=True)
class Reference(Record):
    """An answer that a judge may compare with; not a candidate for pairs."""

    table: ClassVar[str] = "prompt_references"
    reference_key: int = field(init=False)
    prompt_key: int
    author: str
    text: str

    def __post_init__(self) -> None:
        _set(self, reference_key=content_key("reference", self.prompt_key, self.author, self.text))


@dataclass(frozen=True, slots=True)
class Settings(Record):
    """What shaped a text besides model and prompt: sampling parameters, rendered template."""

    table: ClassVar[str] = "settings"
    settings_key: int = field(init=False)
    body: str

    def __post_init__(self) -> None:
        _set(self, settings_key=content_key("settings", self.body))

    @classmethod
    def of(cls, parameters: dict[str, object]) -> Settings:
        """Return the settings of a mapping of parameters."""
        return cls(body=canonical_json(parameters))


@dataclass(frozen=True, slots=True)
class Response(Record):
    """One answer of one source. `sample_index` tells several draws of the same text apart."""

    table: ClassVar[str] = "responses"
    response_key: int = field(init=False)
    prompt_key: int
    source_key: int
    text: str
    text_key: int = field(init=False)
    n_chars: int = field(init=False)
    is_empty: bool = field(init=False)
    sample_index: int = 0
    settings_key: int | None = None
    seed: int | None = None
    finish_reason: str | None = None
    previous_key: int | None = None
    external_id: str | None = None

    def __post_init__(self) -> None:
        bare = self.text.strip()
        identity = (self.prompt_key, self.source_key, self.text, self.sample_index, self.previous_key)
        _set(
            self,
            response_key=content_key("response", *identity),
            text_key=content_key("text", bare),
            n_chars=len(self.text),
            is_empty=not bare,
        )


@dataclass(frozen=True, slots=True)
class ShownResponse(Response):
    """An answer known only because a judge's verdict shows it: evidence, never material for pairs."""

    table: ClassVar[str] = "shown_responses"


@dataclass(frozen=True, slots=True)
class Rubric(Record):
    """What a judge was asked to look at, and on which scale."""

    table: ClassVar[str] = "rubrics"
    rubric_key: int = field(init=False)
    name: str
    kind: str = "pointwise"
    scale_min: float | None = None
    scale_max: float | None = None
    template: str | None = None

    @classmethod
    @lru_cache(maxsize=1024, typed=True)  # every row of a file names its rubric
    def pointwise(cls, name: str, scale_min: float | None = None, scale_max: float | None = None) -> Rubric:
        """Return a rubric for one answer at a time, known by its name and scale."""
        return cls(name, scale_min=scale_min, scale_max=scale_max)

    def __post_init__(self) -> None:
        check_names(self.name)
        _set(self, scale_min=double(self.scale_min), scale_max=double(self.scale_max))
        content = (self.name, self.kind, self.scale_min, self.scale_max, self.template)
        _set(self, rubric_key=content_key("rubric", *content))


@dataclass(frozen=True, slots=True)
class Judgement(Record):
    """A judge's raw words on one response, or on two shown in this order."""

    table: ClassVar[str] = "judgements"
    judgement_key: int = field(init=False)
    prompt_key: int
    response_key: int
    other_key: int | None
    judge: str
    judge_kind: str
    rubric_key: int
    sample_index: int = 0
    raw: str | None = None
    settings_key: int | None = None
    external_id: str | None = None

    def __post_init__(self) -> None:
        check_names(self.judge)
        shown = (self.response_key, self.other_key)
        said = (self.judge, self.rubric_key, self.sample_index, self.raw, self.external_id)
        _set(self, judgement_key=content_key("judgement", shown, said))


@dataclass(frozen=True, slots=True)
class Score(Record):
    """A number read in a judgement by a parser version or imported, or None and the reason why there is none."""

    table: ClassVar[str] = "scores"
    score_key: int = field(init=False)
    judgement_key: int | None
    prompt_key: int
    source_key: int
    response_key: int
    judge: str
    judge_kind: str
    rubric_key: int
    dimension: str
    sample_index: int = 0
    value: float | None = None
    reason: str | None = None
    parser: str = "imported"

    def __post_init__(self) -> None:
        if self.value is not None and not math.isfinite(self.value):
            raise ValueError("a score is a finite number")
        if (self.value is None) == (self.reason is None):
            raise ValueError("a score has either a value or a reason why not")
        check_names(self.judge, self.dimension)
        where = (self.judgement_key, self.response_key, self.judge, self.rubric_key, self.dimension)
        read = (self.sample_index, double(self.value), self.reason, self.parser)
        _set(self, score_key=content_key("score", where, read))


@dataclass(frozen=True, slots=True)
class Correction(Record):
    """A person's or a stronger judge's score of a response; appended beside the judge's, never overwriting it."""

    table: ClassVar[str] = "corrections"
    correction_key: int = field(init=False)
    prompt_key: int
    response_key: int
    rubric_key: int
    dimension: str
    value: float
    author: str
    author_kind: str
    reason: str | None
    made_at: datetime

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError("a corrected score is a finite number")
        where = (self.response_key, self.rubric_key, self.dimension, float(self.value))
        _set(self, correction_key=content_key("correction", where, self.author, self.reason, self.made_at.isoformat()))


@dataclass(frozen=True, slots=True)
class Preference(Record):
    """How much A is preferred over B: 1 is A, 0 is B, 0.5 a tie; or None and the reason why it is not known."""

    table: ClassVar[str] = "preferences"
    preference_key: int = field(init=False)
    judgement_key: int | None
    prompt_key: int
    response_a_key: int
    response_b_key: int
    judge: str
    judge_kind: str
    rubric_key: int
    preference: float | None
    is_hard: bool
    reason: str | None = None
    parser: str = "imported"

    def __post_init__(self) -> None:
        if self.preference is not None and not 0 <= self.preference <= 1:
            raise ValueError(f"preference {self.preference} is not between 0 and 1")
        if (self.preference is None) == (self.reason is None):
            raise ValueError("a preference has either a value or a reason why not")
        check_names(self.judge)
        sides = (self.judgement_key, self.response_a_key, self.response_b_key, self.judge, self.rubric_key)
        said = (double(self.preference), self.reason, self.parser)
        _set(self, preference_key=content_key("preference", sides, *said))
