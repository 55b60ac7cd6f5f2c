"""Figures of agreement over listed rows: what is listed, by whom, and the statement that lists it again.

The arithmetic is SQL (sql/summaries), over blocks of prompts, so that each figure has an interval. Knows not what is
compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from tsodata.provenance import stream_seed
from tsodata.stats.figures import Figure
from tsodata.stats.intervals import BOOTSTRAP, Interval
from tsodata.stats.listing import Listing
from tsodata.stats.measuring import keep_draws
from tsodata.store import Reader

DISTANCES: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {  # of the replicates: the name for people, its unit, the column of the listing that it is about
        "bias": ("bias", "score", "difference"),
        "mae": ("mean absolute difference", "score", "absolute_difference"),
        "kappa": ("quadratic-weighted kappa", "kappa", "score"),
        "alpha": ("Krippendorff's alpha", "alpha", "score"),
        "spearman": ("Spearman's rho", "correlation", "score"),
    }
)
VERDICTS = MappingProxyType({name: (*DISTANCES[name][:2], "verdict") for name in ("kappa", "alpha")})
MEANS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "pairs": ("pairs in the same order", "share", "is_same"),
        "verdicts": ("same verdict", "share", "is_same"),
        "sides": ("same side", "share", "is_same_side"),
    }
)
_NAMES: Mapping[str, tuple[str, str, str]] = MappingProxyType({**DISTANCES, **MEANS})


@dataclass(frozen=True, slots=True)
class Angle:
    """One comparison: a listing kept as `table`, what tells its subjects apart, and whether its two sides differ."""

    section: str
    table: str
    listing: Listing
    by: tuple[str, ...]
    columns: tuple[str, str] = ("score", "other")
    has_order: bool = True


@dataclass(frozen=True, slots=True)
class Scene:
    """A reader in which listings are kept, with the draws of its bootstrap."""

    reader: Reader
    sizes: dict[tuple[str, ...], tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, reader: Reader, seed: int) -> Scene:
        """Return a scene whose draws depend on the seed alone."""
        keep_draws(reader, stream_seed(seed, "bootstrap"))
        return cls(reader)

    def keep(self, table: str, listing: Listing) -> None:
        """Keep the rows of a listing as a table; what stands under it has been kept before."""
        self.reader.keep_text(table, listing.body())

    def look_at(self, angle: Angle, column: str | None = None) -> None:
        """Define `listed`: the rows of an angle, or those that have a value in a column, and note their sizes."""
        subject = f"[{', '.join(angle.by)}]::varchar[] as subject"
        value, other = angle.columns
        told = f"{column}::double as value" if column else f"{value}::double as value, {other}::double as other, share"
        where = f"{column} is not null" if column else "true"
        self.reader.define("listed", f"select {subject}, prompt_key, {told} from {angle.table} where {where}")
        self.sizes.clear()
        self.sizes.update({tuple(s): (int(n), int(blocks)) for s, n, blocks in self.reader.rows("summaries/sizes")})

    def replicate_distances(self, angle: Angle) -> None:
        """Keep the replicates of all that can be said of the two numbers of each row."""
        self.look_at(angle)
        self.reader.keep("replicates", "summaries/distances", has_order=angle.has_order)
        self.reader.keep("replicates", "summaries/ranks", append=True, has_order=angle.has_order)

    def replicate_mean(self, angle: Angle, figure: str) -> None:
        """Keep the replicates of the mean of one of MEANS."""
        self.look_at(angle, MEANS[figure][2])
        self.reader.keep("replicates", "summaries/replicated_means", figure=figure)

    def figures(self, angle: Angle, names: Sequence[str], *, drop: Mapping[str, str] | None = None) -> list[Figure]:
        """Return the figures of the replicates that have these names, one per subject, in the order of the names."""
        found: dict[tuple[str, str], list[Figure]] = {}
        for subject, figure, value, low, high in self.reader.rows("summaries/replicated"):
            n, n_blocks = self.sizes[tuple(subject)]
            between = interval(low, high) if n_blocks > 1 else None
            by = dict(zip(angle.by, subject, strict=True))
            made = self.figure(angle, figure, value, n=n, by=by, interval=between, drop=drop)
            found.setdefault((str(by), figure), []).append(made)
        subjects = dict.fromkeys(subject for subject, _ in found)
        return [one for subject in subjects for name in names for one in found.get((subject, name), [])]

    def figure(self, angle: Angle, figure: str, value: float | None, **known: Any) -> Figure:
        """Return a figure with the statement that lists its rows."""
        by, drop = known["by"], known.get("drop") or {}
        name, unit, column = (
            VERDICTS[figure] if angle.columns[0] == "verdict" and figure in VERDICTS else _NAMES[figure]
        )
        return Figure(
            section=angle.section,
            name=name,
            unit=unit,
            subject={key: label for key, label in by.items() if key not in drop},
            value=value,
            n=known["n"],
            interval=known.get("interval"),
            sql=angle.listing.statement(column, by),
        )


def interval(low: float | None, high: float | None) -> Interval | None:
    """Return the interval of a bootstrap, where it has ends."""
    return None if low is None or high is None else Interval(low, high, BOOTSTRAP)
