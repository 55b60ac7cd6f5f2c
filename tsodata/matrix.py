"""The model matrix (Def. 1), its chosen and rejected sources (Eqs. 1, 2), the order of versions, and what names mean.

Pure: sources in, sources out. Knows nothing of answers or the store.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tsodata.errors import UnknownNameError, UsageError
from tsodata.records import Source
from tsodata.sizes import format_size, parse_size

CHOSEN_ROLES = ("human", "newest-larger")
REJECTED_ROLES = ("older", "smaller")
ROLES = (*CHOSEN_ROLES, *REJECTED_ROLES, "base", "cells")
EVERYBODY = "everybody"
_TOKEN = re.compile(r"\d+|[^\d.]+")


def natural_order(versions: Iterable[str]) -> list[str]:
    """Return versions oldest first, numbers by value: pre-1.3, v1.3, v1.5, v1.10."""
    return sorted(set(versions), key=_natural_key)


def _natural_key(version: str) -> tuple[object, ...]:
    bare = version.lower().removeprefix("pre-").removeprefix("v")
    tokens = [(1, int(t), "") if t.isdecimal() else (0, 0, t) for t in _TOKEN.findall(bare)]
    return (tokens, not version.lower().startswith("pre-"), version)


@dataclass(frozen=True, slots=True)
class VersionOrdering:
    """The versions of a family, oldest first, and who says so."""

    versions: tuple[str, ...]
    stated_by: str | None = None

    @classmethod
    def natural(cls, versions: Iterable[str]) -> VersionOrdering:
        """Return the natural order, which nobody stated."""
        return cls(tuple(natural_order(versions)))

    def describe(self) -> str:
        """Return the order in one line, with where it comes from."""
        origin = f"stated by {self.stated_by}" if self.stated_by else "natural sort"
        blind = not self.stated_by and any(not re.search(r"\d", version) for version in self.versions)
        doubt = "; these names hold no numbers: state the order with --versions OLDEST,…,NEWEST" if blind else ""
        return f"{' < '.join(self.versions)} ({origin}{doubt})"


@dataclass(frozen=True, slots=True)
class ModelMatrix:
    """One family's cells around the base model, and the people beside them."""

    base: Source
    cells: tuple[Source, ...]
    people: tuple[Source, ...]
    order: VersionOrdering

    @classmethod
    def around(cls, base: str, sources: Sequence[Source], order: VersionOrdering | None = None) -> ModelMatrix:
        """Return the matrix of the base's family.

        Raises:
            UnknownNameError: no source goes by the base's label.
            UsageError: the base has no version or size, or the stated order lacks a version.
        """
        source = _find(base, sources)
        if source.version is None or source.size_b is None:
            raise UsageError(
                f"{source.label} has no version or size, so it stands in no matrix; place it with --models"
            )
        cells = [s for s in sources if s.kind == "model" and s.family == source.family and s.version and s.size_b]
        order = order or VersionOrdering.natural(str(cell.version) for cell in cells)
        absent = sorted({str(cell.version) for cell in cells} - set(order.versions))
        if absent:
            raise UsageError(
                f"the order of {source.family}'s versions ({' < '.join(order.versions)}) lacks {', '.join(absent)}; "
                "state all with --versions OLDEST,…,NEWEST"
            )
        rank = {version: position for position, version in enumerate(order.versions)}
        cells.sort(key=lambda cell: (rank[str(cell.version)], cell.size_b))
        people = sorted((s for s in sources if s.kind == "human"), key=lambda s: s.label)
        return cls(source, tuple(cells), tuple(people), order)

    @property
    def sizes(self) -> list[float]:
        """Return the sizes of the family, smallest first, in billions of parameters."""
        return sorted({float(cell.size_b or 0) for cell in self.cells})

    def age(self, cell: Source) -> int:
        """Return a version's place in the order, 0 for the oldest."""
        return self.order.versions.index(str(cell.version))

    def role(self, name: str) -> tuple[Source, ...]:
        """Return the sources of a role.

        human          people
        newest-larger  the newest version of every size larger than the base (Eq. 1)
        older          older versions of the base's size (Eq. 2)
        smaller        every version of every smaller size (Eq. 2)
        base           the model being aligned
        cells          every cell of the family, the base among them

        Raises:
            UnknownNameError: there is no such role.
        """
        base_size, base_age = float(self.base.size_b or 0), self.age(self.base)
        larger = [size for size in self.sizes if size > base_size]
        match name:
            case "human":
                return self.people
            case "newest-larger":
                return tuple(max((c for c in self.cells if c.size_b == size), key=self.age) for size in larger)
            case "older":
                return tuple(c for c in self.cells if c.size_b == base_size and self.age(c) < base_age)
            case "smaller":
                return tuple(c for c in self.cells if (c.size_b or 0) < base_size)
            case "base":
                return (self.base,)
            case "cells":
                return self.cells
        raise UnknownNameError(f"no role {name!r}; known are {', '.join(ROLES)}")

    def role_of(self, source: Source) -> str | None:
        """Return the role of a source, or None where Eqs. 1 and 2 leave it out."""
        return next((name for name in ROLES[:-1] if source in self.role(name)), None)

    @property
    def chosen(self) -> tuple[Source, ...]:
        """Return the chosen sources (Eq. 1)."""
        return tuple(source for role in CHOSEN_ROLES for source in self.role(role))

    @property
    def rejected(self) -> tuple[Source, ...]:
        """Return the rejected sources (Eq. 2)."""
        return tuple(source for role in REJECTED_ROLES for source in self.role(role))


@dataclass(frozen=True, slots=True)
class Roster:
    """Whom the names of a recipe stand for: all sources, and the matrix around the base where one is named."""

    sources: tuple[Source, ...]
    matrix: ModelMatrix | None = None

    def find(self, name: str) -> tuple[Source, ...]:
        """Return the sources that a role, `everybody`, or a label such as vicuna/v1.3/33 stands for.

        Raises:
            UnknownNameError: it stands for nobody.
            UsageError: the role is one around a base, and no base is named.
        """
        if name == EVERYBODY:
            return self.sources
        if name == "human":
            return tuple(source for source in self.sources if source.kind == "human")
        return self.around(name).role(name) if name in ROLES else (_find(name, self.sources),)

    def around(self, name: str) -> ModelMatrix:
        """Return the matrix that a role or "uniform" is looked up in.

        Raises:
            UsageError: no base is named.
        """
        if self.matrix is None:
            raise UsageError(f"{name!r} is who stands around a base model: name it with --base FAMILY/VERSION/SIZE")
        return self.matrix


def _find(label: str, sources: Sequence[Source]) -> Source:
    known = {source.label: source for source in sources}
    for candidate in (label, _normalised(label)):
        if candidate in known:
            return known[candidate]
    models = sorted(source.label for source in sources if source.kind == "model")
    shown = ", ".join(models[:12]) + (", …" if len(models) > 12 else "") or "none yet"
    raise UnknownNameError(f"no source {label!r} in the store; it has {shown}. A cell is FAMILY/VERSION/SIZE")


def _normalised(label: str) -> str:
    head, _, size = label.rpartition("/")
    try:
        return f"{head}/{format_size(parse_size(size))}"
    except ValueError:
        return label
