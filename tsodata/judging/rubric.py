"""A judge's rubric: what is asked of which answers, on which scale, and which parser reads the reply.

A rubric is a TOML file (docs/judging.md): those shipped stand in rubrics/, others are named by path. It is spread out
into questions, one per form of prompt and dimension; a question's text is what its key in the store is made of.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeVar

from tsodata.engines.protocol import Sampling
from tsodata.errors import RubricError
from tsodata.judging.parsers import OVERALL, PARSERS, PREFERENCE
from tsodata.judging.templates import Template, check_places, places, read_turn, settle, template_text
from tsodata.provenance import canonical_json
from tsodata.records import Rubric
from tsodata.strict_toml import read_record, read_table

T = TypeVar("T")

KINDS = ("pointwise", "pairwise")
MAX_TURNS = 9
_OF_TURN = tuple(range(1, MAX_TURNS + 1))
_SHARED = ("prompt", "reference", "category", *(f"{what}_{i}" for what in ("question", "reference") for i in _OF_TURN))
_OF_DIMENSION = ("dimension", "criteria", "dimensions")
_ANSWERS = {
    "pointwise": ("answer", *(f"answer_{i}" for i in _OF_TURN)),
    "pairwise": ("answer_a", "answer_b", *(f"answer_{side}_{i}" for side in "ab" for i in _OF_TURN)),
}


@dataclass(frozen=True, slots=True)
class Form:
    """One way to ask: for conversations of so many turns (None: any), with a reference answer or without."""

    name: str  # the rubric's name that its scores carry
    template: Template
    n_turns: int | None = None
    with_reference: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Dimensions that are asked for together, in one call, of the prompts with one of these tags."""

    dimensions: tuple[str, ...]
    description: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """One call's worth of a rubric. Of the questions of a `slot` that fit an answer, the first is asked."""

    record: Rubric
    template: Template
    dimensions: tuple[str, ...]
    slot: str
    n_turns: int | None
    with_reference: bool
    tags: tuple[str, ...]


@dataclass(frozen=True)
class JudgeRubric:
    """What a judge is asked. `dimensions` are asked one by one; `groups` together, by the prompt's tags."""

    name: str
    kind: str
    scale: tuple[float, float]
    parser: str
    forms: tuple[Form, ...]
    dimensions: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    categories: tuple[str, ...] = ()  # tags of which one fills the place {category}
    samples: int = 1
    sampling: Sampling = field(default_factory=lambda: Sampling(temperature=0.0, top_p=1.0))
    about: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise RubricError(f"kind {self.kind!r} is neither {' nor '.join(KINDS)}")
        if self.parser not in PARSERS:
            raise RubricError(f"no parser {self.parser!r}; there are: {', '.join(PARSERS)}")
        if not self.scale[0] < self.scale[1]:
            raise RubricError(f"scale {list(self.scale)}: the lowest score comes first")
        if self.dimensions and self.groups:
            raise RubricError("dimensions are asked one by one or in groups, not both")
        if not self.forms:
            raise RubricError("a rubric needs at least one [[forms]]")
        if self.samples < 1:
            raise RubricError(f"samples = {self.samples}: at least 1")
        for form in self.forms:
            self._check_form(form)

    def _check_form(self, form: Form) -> None:
        known = (*_SHARED, *_ANSWERS[self.kind], *_OF_DIMENSION)
        check_places(form.template, known=known, needed=self._needed(form))
        if form.with_reference and not any(name.startswith("reference") for name in places(form.template)):
            raise RubricError("a form with a reference has a place {reference}")

    def _needed(self, form: Form) -> set[str]:
        several = any(name.startswith(("question_", "answer_a_", "answer_b_")) for name in places(form.template))
        turn = f"_{form.n_turns}" if form.n_turns and several else ""
        needed = {f"answer{turn}"} if self.kind == "pointwise" else {f"answer_a{turn}", f"answer_b{turn}"}
        if self.dimensions:
            needed.add("criteria")
        return needed | ({"dimensions"} if self.groups else set())

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """Return the questions, those with a reference and those for a number of turns first."""
        forms = sorted(self.forms, key=lambda form: (not form.with_reference, form.n_turns is None))
        return tuple(question for form in forms for question in self._questions_of(form))

    def _questions_of(self, form: Form) -> list[Question]:
        asked: list[tuple[tuple[str, ...], dict[str, str], tuple[str, ...]]]
        if self.dimensions:
            asked = [((name,), {"dimension": name, "criteria": text}, ()) for name, text in self.dimensions.items()]
        elif self.groups:
            asked = [((*g.dimensions, OVERALL), {"dimensions": g.description}, g.tags) for g in self.groups]
        else:
            asked = [((OVERALL if self.kind == "pointwise" else PREFERENCE,), {}, ())]
        found = []
        for dimensions, values, tags in asked:
            template = settle(form.template, values)
            low, high = self.scale
            body = canonical_json(template_text(template))
            record = Rubric(form.name, kind=self.kind, scale_min=low, scale_max=high, template=body)
            slot = dimensions[0] if self.dimensions else ""
            place = (slot, form.n_turns, form.with_reference, tags)
            found.append(Question(record, template, dimensions, *place))
        return found

    def asked_for(self, dimensions: Sequence[str]) -> tuple[Question, ...]:
        """Return the questions of these dimensions; of all where none are named.

        Raises:
            RubricError: there is no such dimension.
        """
        for name in dimensions:
            if name not in self.dimensions:
                told = ", ".join(self.dimensions) or "none that is asked by itself"
                raise RubricError(f"rubric {self.name} has no dimension {name!r}; it has: {told}")
        return tuple(q for q in self.questions if not dimensions or q.slot in dimensions)


def shipped_rubrics() -> tuple[str, ...]:
    """Return the names of the rubrics that come with the package."""
    return tuple(sorted(_shipped()))


def _shipped() -> dict[str, str]:
    """Return the text of each shipped rubric by its name; a file is named by it, with a hyphen for the slash."""
    folder = resources.files("tsodata.judging") / "rubrics"
    texts = [entry.read_text(encoding="utf-8") for entry in folder.iterdir() if entry.name.endswith(".toml")]
    return {str(tomllib.loads(text)["name"]): text for text in texts}


def load_rubric(name: str) -> JudgeRubric:
    """Return a shipped rubric by name, or the rubric of a TOML file.

    Raises:
        RubricError: there is none of that name, or the file does not hold one.
    """
    shipped = _shipped()
    if name in shipped:
        return parse_rubric(tomllib.loads(shipped[name]))
    path = Path(name)
    if path.suffix != ".toml":
        raise RubricError(f"no rubric {name!r}; shipped are {', '.join(sorted(shipped))}, or name a .toml file")
    table = read_table(path, refuse=RubricError)
    try:
        return parse_rubric(table)
    except RubricError as error:
        raise RubricError(f"{path}: {error}") from error


@dataclass(frozen=True, slots=True)
class _Head:
    """The settings of a rubric's file outside its tables."""

    name: str
    parser: str
    scale: tuple[float, ...]
    kind: Literal["pointwise", "pairwise"] = "pointwise"
    about: str = ""
    samples: int = 1
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _FormTable:
    """One [[forms]]."""

    user: str
    system: str | None = None
    name: str | None = None
    turns: int | None = None
    reference: bool = False


_TABLES = ("sampling", "forms", "dimensions", "groups")
_SAMPLING = {"temperature": 0.0, "top_p": 1.0}


def parse_rubric(table: Mapping[str, Any]) -> JudgeRubric:
    """Return the rubric of a parsed TOML table; unknown names and wrong types are refused."""
    head = _record(_Head, {key: value for key, value in table.items() if key not in _TABLES}, "the rubric")
    if len(head.scale) != 2:
        raise RubricError("scale is [lowest, highest]")
    criteria = table.get("dimensions", {})
    if not isinstance(criteria, Mapping) or not all(isinstance(text, str) for text in criteria.values()):
        raise RubricError("[dimensions] gives each dimension its criteria as a text")
    return JudgeRubric(
        name=head.name,
        kind=head.kind,
        scale=(float(head.scale[0]), float(head.scale[1])),
        parser=head.parser,
        forms=tuple(_form(form, head.name) for form in _tables(table, "forms")),
        dimensions=dict(criteria),
        groups=tuple(_record(Group, group, "[[groups]]") for group in _tables(table, "groups")),
        categories=head.categories,
        samples=head.samples,
        sampling=_record(Sampling, _SAMPLING | _table(table, "sampling"), "[sampling]"),
        about=head.about,
    )


def _form(table: Any, name: str) -> Form:
    form = _record(_FormTable, table, "[[forms]]")
    head = () if form.system is None else (read_turn("system", form.system),)
    return Form(form.name or name, (*head, read_turn("user", form.user)), form.turns, form.reference)


def _record(kind: type[T], table: Any, where: str) -> T:
    return read_record(kind, table, where, refuse=RubricError)


def _table(table: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = table.get(name, {})
    if not isinstance(found, dict):
        raise RubricError(f"[{name}] is not a table")
    return found


def _tables(table: Mapping[str, Any], name: str) -> list[Any]:
    found = table.get(name, [])
    if not isinstance(found, list):
        raise RubricError(f"[[{name}]] is not an array of tables")
    return found
