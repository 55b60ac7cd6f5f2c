"""What a format takes out of a build: pairs, their chosen answers, answers, or ranked lists of answers.

A build holds either pairs or answers. Every one of them is judged once, writable or refused for a reason, and kept as
the temporary table `judged` of a reader; the other files of sql/exports/ read from there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from tsodata.store import Reader

_SWITCHES = {"pairs": ("alternating", "chosen_once"), "answers": ("ranked",)}


@dataclass(frozen=True, slots=True)
class Material:
    """One thing to take: `holds` is what the build must hold, and what is counted, in and out.

    `id_column` names a row, `texts` are the answers that are written, `sources` who gave them: columns of the SQL file
    `rows`. `switches` are the stricter ways to judge that are on.
    """

    holds: str
    rows: str
    id_column: str
    texts: tuple[str, ...]
    sources: tuple[str, ...]
    switches: tuple[str, ...] = ()

    @property
    def is_list(self) -> bool:
        """Say whether a row is a prompt with a list of answers."""
        return "ranked" in self.switches

    def suits(self, holds: str) -> bool:
        """Say whether it is in a build that holds pairs, answers, or ranked lists, whose last answers are the worst."""
        return self.is_list if holds == "ranked lists" else self.holds == holds

    def judge(self, reader: Reader, build_key: int, minibatch: int | None) -> None:
        """Keep the rows of the build as the reader's table `judged`, each writable or with a reason."""
        switches = {name: name in self.switches for name in _SWITCHES[self.holds]}
        path = f"exports/judged_{self.holds}"
        reader.keep("judged", path, build=build_key, minibatch=minibatch, **switches)

    def n_units(self, batch: pa.RecordBatch) -> int:
        """Return how many pairs, or answers, a batch of rows holds."""
        return len(batch[self.texts[0]].flatten()) if self.is_list else batch.num_rows


PAIRS = Material(
    "pairs", "exports/pairs", "pair_id", texts=("chosen", "rejected"), sources=("chosen_source", "rejected_source")
)
ALTERNATING_PAIRS = replace(PAIRS, switches=("alternating",))
CHOSEN = replace(PAIRS, texts=("chosen",), sources=("chosen_source",), switches=("chosen_once",))
ANSWERS = Material("answers", "exports/answers", "response_id", texts=("answer",), sources=("source",))
LISTS = Material(
    "answers", "exports/lists", "prompt_id", texts=("responses",), sources=("sources",), switches=("ranked",)
)
