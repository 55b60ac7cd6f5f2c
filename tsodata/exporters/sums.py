"""What became of a build's pairs or answers in an export, and who gave those that were written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from tsodata.exporters.materials import Material


@dataclass(slots=True)
class Sums:
    """`written` counts pairs or answers, `rows` the rows they became, both by split as the format names it.

    `refused` counts by reason; `marked` those that the template gate found and wrote all the same. `sources` counts
    answers written, by side and source.
    """

    refused: Counter[str]
    written: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    marked: Counter[str] = field(default_factory=Counter)
    sources: dict[str, Counter[str]] = field(default_factory=dict)

    def note(self, batch: pa.RecordBatch, *, split: str, material: Material, n_rows: int) -> None:
        """Count a batch that has been written as `n_rows` rows."""
        if not n_rows:
            return
        self.written[split] += material.n_units(batch)
        self.rows[split] += n_rows
        for side in material.sources:
            column = batch[side].flatten() if material.is_list else batch[side]
            self.sources.setdefault(side, Counter()).update(column.to_pylist())

    def as_json(self, material: Material) -> dict[str, object]:
        """Return the counts for a manifest; `in` is the sum of `written` and `refused`."""
        counts: dict[str, object] = {
            "unit": material.holds,
            "in": self.written.total() + self.refused.total(),
            "written": dict(self.written),
            "refused": dict(sorted(self.refused.items())),
            "rows": dict(self.rows),
        }
        return {**counts, "marked": dict(sorted(self.marked.items()))} if self.marked else counts

    def sources_as_json(self) -> dict[str, dict[str, int]]:
        """Return who gave how many answers, by side, the most frequent first."""
        return {
            side: dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
            for side, counts in self.sources.items()
        }
