"""What the store holds around a base model: its matrix, and how far each cell is filled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tsodata.errors import UnknownNameError
from tsodata.matrix import ModelMatrix, VersionOrdering
from tsodata.records import Source
from tsodata.store import Reader


@dataclass(frozen=True, slots=True)
class CellCoverage:
    """How much one source has answered.

    `stale` counts answers that were stored before the policy that stands in the cell now was registered.
    """

    source: Source
    role: str | None
    n_prompts: int
    n_answers: int
    n_empty: int
    stale: int
    missing: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """A matrix with the coverage of its cells and people, over the prompts of a data set or all."""

    matrix: ModelMatrix
    cells: tuple[CellCoverage, ...]
    n_prompts: int
    dataset: str | None


def load_matrix(reader: Reader, base: str, versions: Sequence[str] | None = None) -> ModelMatrix:
    """Return the matrix around a base such as vicuna/v1.5/13.

    The order of versions is the one given, else the one last stated in the store, else natural.

    Raises:
        UnknownNameError: no source goes by the base's label.
        UsageError: the base stands in no matrix, or the order lacks a version.
    """
    sources = load_sources(reader)
    if versions:
        order: VersionOrdering | None = VersionOrdering(tuple(versions), "--versions")
    else:
        order = _stated_order(reader, base.rsplit("/", 2)[0])
    return ModelMatrix.around(base, sources, order)


def load_sources(reader: Reader) -> list[Source]:
    """Return everybody who answers in the store, by label."""
    return [
        Source(kind=str(kind), family=str(family), version=version, size_b=size_b)
        for kind, family, version, size_b in reader.rows("matrix/sources")
    ]


def _stated_order(reader: Reader, family: str) -> VersionOrdering | None:
    rows = reader.rows("matrix/version_order", family=family)
    return VersionOrdering(tuple(rows[0][0]), str(rows[0][1])) if rows else None


def load_coverage(reader: Reader, matrix: ModelMatrix, dataset: str | None = None) -> Coverage:
    """Return how far the cells of a matrix, and the people, have answered.

    Raises:
        UnknownNameError: no prompt comes from the data set.
    """
    n_prompts = int(reader.rows("matrix/n_prompts", dataset=dataset)[0][0])
    if dataset is not None and n_prompts == 0:
        raise UnknownNameError(f"no prompt comes from a data set {dataset!r}")
    filled = {row[0]: row[1:] for row in reader.rows("matrix/coverage", dataset=dataset)}
    cells = []
    for source in (*matrix.cells, *matrix.people):
        answered, n_answers, n_empty, stale = (int(n) for n in filled.get(source.source_key, (0, 0, 0, 0)))
        missing = n_prompts - answered
        cells.append(CellCoverage(source, matrix.role_of(source), answered, n_answers, n_empty, stale, missing))
    return Coverage(matrix, tuple(cells), n_prompts, dataset)
