"""From the names that files use for models to the cells of the matrix.

A cell comes from a models table, from flags, or both; else from a name that the store knows already. A name that
nothing places is kept as a source outside every matrix, and told.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from tsodata import reading
from tsodata.errors import UsageError
from tsodata.records import Source, VersionOrder
from tsodata.sizes import parse_size

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

T = TypeVar("T")

_NAME_COLUMNS = ("name", "model_name_in_file", "model", "model_name")
_SIZE_COLUMNS = ("size", "size_B", "size_b")


@dataclass(frozen=True, slots=True)
class Cell:
    """What is known of a model: any part may be missing."""

    family: str | None = None
    version: str | None = None
    size_b: float | None = None

    def filled(self, other: Cell) -> Cell:
        """Return this cell, its missing parts taken from another."""
        size_b = other.size_b if self.size_b is None else self.size_b
        return Cell(self.family or other.family, self.version or other.version, size_b)


@dataclass(frozen=True, slots=True)
class ModelsTable:
    """Rows of `name, family, version, size`, as a file states them."""

    cells: Mapping[str, frozenset[Cell]] = field(default_factory=dict)
    orders: tuple[VersionOrder, ...] = ()

    @classmethod
    def read(cls, path: Path) -> ModelsTable:
        """Read a table from CSV, JSON or Parquet; an optional column `version_order` numbers a family's versions.

        Raises:
            UsageError: a column is missing, or a size is not one.
        """
        cells: dict[str, set[Cell]] = {}
        ranks: dict[str, dict[str, float]] = {}
        for row in reading.iter_rows(path):
            where = f"{path}:{row.line}"
            if row.value is None:
                raise UsageError(f"{where}: {row.problem}")
            values = {key: "" if value is None else str(value).strip() for key, value in row.value.items()}
            try:
                cell = Cell(values.get("family") or None, values.get("version") or None, _size(values))
                _note_rank(ranks, cell, values.get("version_order"))
            except ValueError as error:
                raise UsageError(f"{where}: {error}") from error
            cells.setdefault(_name(values, where), set()).add(cell)
        orders = tuple(
            VersionOrder(family, tuple(sorted(rank, key=lambda v: (rank[v], v))), "models table")
            for family, rank in sorted(ranks.items())
        )
        return cls({name: frozenset(found) for name, found in cells.items()}, orders)


def _name(values: Mapping[str, str], where: str) -> str:
    for column in _NAME_COLUMNS:
        if values.get(column):
            return values[column]
    others = ", ".join(_NAME_COLUMNS[1:])
    raise UsageError(f"{where}: a models table needs a column {_NAME_COLUMNS[0]!r} (or {others}) and 'family'")


def _note_rank(ranks: dict[str, dict[str, float]], cell: Cell, text: str | None) -> None:
    if not (text and cell.family and cell.version):
        return
    rank = float(text)
    if not math.isfinite(rank):
        raise ValueError(f"version_order {text!r} is not a number")
    if ranks.setdefault(cell.family, {}).setdefault(cell.version, rank) != rank:
        raise ValueError(f"version {cell.version!r} of {cell.family!r} has two places in version_order")


def _size(values: Mapping[str, str]) -> float | None:
    return next((parse_size(values[column]) for column in _SIZE_COLUMNS if values.get(column)), None)


@dataclass(slots=True)
class Naming:
    """Turns a model's name into its source. `unplaced` collects the names that nothing places."""

    table: ModelsTable = field(default_factory=ModelsTable)
    flags: Cell = field(default_factory=Cell)
    stored: Mapping[str, frozenset[Source]] = field(default_factory=dict)
    unplaced: set[str] = field(default_factory=set)
    _flagged: str | None = None
    _known: dict[str, Source] = field(default_factory=dict)

    def source(self, name: str) -> Source:
        """Return the source that goes by a name.

        Raises:
            UsageError: the name stands for several cells, or the flags would place two names in one cell.
        """
        if name not in self._known:
            self._known[name] = self._find(name)
        return self._known[name]

    def flagged(self) -> Source | None:
        """Return the cell that the flags alone name, for files that name no model."""
        return Source.model(self.flags.family, self.flags.version, self.flags.size_b) if self.flags.family else None

    def _find(self, name: str) -> Source:
        cell = _only(name, self.table.cells.get(name, frozenset()), "the models table; keep one row of it")
        if cell:
            cell = cell.filled(self.flags)
            return Source.model(cell.family or name, cell.version, cell.size_b)
        if self.flags != Cell():
            return self._by_flags(name)
        stored = self.stored.get(name, frozenset())
        source = _only(name, stored, "the store; pass --models, or --family --version --size") or Source.model(name)
        if source == Source.model(name):
            self.unplaced.add(name)
        return source

    def _by_flags(self, name: str) -> Source:
        if not self.flags.family:
            raise UsageError(f"--version and --size place no model without --family; {name!r} is in no models table")
        if self._flagged not in (None, name):
            raise UsageError(
                f"--family, --version and --size name one cell, but the files hold {self._flagged!r} and {name!r}; "
                "pass --models with a row for each"
            )
        self._flagged = name
        return Source.model(self.flags.family, self.flags.version, self.flags.size_b)


def _only(name: str, found: frozenset[T], where: str) -> T | None:
    if len(found) > 1:
        raise UsageError(f"model name {name!r} stands for {len(found)} cells in {where}")
    return next(iter(found), None)
