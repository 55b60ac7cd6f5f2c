"""Two builds side by side: the pairs that one has and the other has not, and how sources, scores and lengths shift.

The rows behind the counts are those of the named query `build-diff`. Builds may be of different recipes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from tsodata.builds.minibatches import no_such_build
from tsodata.store import Reader, Store

CHANGES = ("added", "removed", "flipped", "kept")


class SourceChange(NamedTuple):
    """How many pairs of two sources were added, removed, flipped (as in the later build) or kept."""

    change: str
    chosen_source: str
    rejected_source: str | None  # None for the answers of a build without pairs
    n_pairs: int


class PromptChange(NamedTuple):
    """How many prompts only the later build has (gained) or only the earlier (lost); `reason` is the other's."""

    change: str
    reason: str
    n_prompts: int


class Figure(NamedTuple):
    """A figure over the `n` pairs of a build that have it."""

    n: int
    mean: float
    median: float


@dataclass(frozen=True, slots=True)
class BuildDiff:
    """What differs from the build `before` to the build `after`.

    `figures` holds for each name (margin, chosen_score, rejected_score, in the judge's units; chosen_length,
    rejected_length, length_difference, in characters) the figure of either build, None where it has none.
    """

    before: str
    after: str
    counts: Mapping[str, int]
    by_source: tuple[SourceChange, ...]
    prompts: tuple[PromptChange, ...]
    figures: Mapping[str, tuple[Figure | None, Figure | None]]
    n_other_split: int
    n_other_minibatch: int


def diff_builds(store: Store, before: str, after: str) -> BuildDiff:
    """Return what differs between two builds.

    Raises:
        UnknownNameError: one of them is not there.
    """
    with store.reader() as reader:
        keys = [_key(reader, name) for name in (before, after)]
        reader.keep("changes", "queries/build-diff", before=before, after=after, change=None)
        reader.keep("changes", "queries/build-diff", append=True, before=before, after=after, change="kept")
        by_source = [SourceChange(*row) for row in reader.rows("diffs/by_source")]
        other_split, other_minibatch = reader.rows("diffs/moved")[0]
        figures = [_figures(reader, key) for key in keys]
        prompts = reader.rows("builds/prompt_changes", before_key=keys[0], after_key=keys[1])
    return BuildDiff(
        before=before,
        after=after,
        counts={change: sum(row.n_pairs for row in by_source if row.change == change) for change in CHANGES},
        by_source=tuple(by_source),
        prompts=tuple(PromptChange(*row) for row in prompts),
        figures={name: (figures[0].get(name), figures[1].get(name)) for name in sorted({*figures[0], *figures[1]})},
        n_other_split=int(other_split),
        n_other_minibatch=int(other_minibatch),
    )


def _key(reader: Reader, name: str) -> int:
    rows = reader.rows("builds/by_name", name=name)
    if not rows:
        raise no_such_build(reader, name)
    return int(rows[0][0])


def _figures(reader: Reader, build_key: int) -> dict[str, Figure]:
    rows = reader.rows("builds/figures", build_key=build_key)
    return {str(name): Figure(int(n), mean, median) for name, n, mean, median in rows}
