"""Which scored answers people are asked about, and what they get to see of each.

People see the prompt, the answer, and what the judge gave and said. They do not see who answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from tsodata.correcting.choosing import choose_judge
from tsodata.errors import DataError, UnknownNameError
from tsodata.provenance import stream_seed
from tsodata.recipes import SEED
from tsodata.store import Reader

N_BINS = 5  # ours: the paper's rubric has five anchors (App. D.2)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which of a judge's scored answers; None and empty mean all, and the store's only judge and rubric.

    `sample` takes so many, evenly from five bins of the judge's scores, in each bin those first on which the judges are
    least sure; `at_random` leaves that to chance, for figures that are to speak for all answers. What people have
    corrected already comes only with `again`.
    """

    judge: str | None = None
    rubric: str | None = None
    dimensions: tuple[str, ...] = ()
    build: str | None = None
    cells: tuple[str, ...] = ()
    sample: int | None = None
    seed: int = SEED
    at_random: bool = False
    again: bool = False


class Offer(NamedTuple):
    """One answer in one dimension, the columns of sql/corrections/offered.sql."""

    response_id: str
    text_id: str
    rubric_id: str
    rubric: str
    scale_min: float | None
    scale_max: float | None
    dimension: str
    prompt: str
    answer: str
    judge: str
    judge_score: float
    judge_sd: float | None
    judge_words: str | None


def find_offers(reader: Reader, selection: Selection) -> list[Offer]:
    """Return what a selection takes, in the order in which it is to be looked at.

    Raises:
        UnknownNameError: no judge, rubric, build or cell of that name.
        UsageError: there are several judges or rubrics.
        DataError: nothing is left to ask about.
    """
    chosen = choose_judge(reader, selection.judge, selection.rubric)
    _check_names(reader, selection)
    rows = reader.rows(
        "corrections/offered",
        judge=chosen.judge,
        rubric=chosen.rubric,
        dimensions=list(selection.dimensions),
        build=selection.build,
        cells=list(selection.cells),
        n_bins=N_BINS,
        again=selection.again,
        at_random=selection.at_random,
        seed=stream_seed(selection.seed, "corrections"),
        n=selection.sample,
    )
    if not rows:
        raise DataError(
            f"nothing to ask about: {chosen.judge} by {chosen.rubric} has scored no such answer, or people have "
            "corrected them all; pass --again for those"
        )
    return [Offer(*row) for row in rows]


def _check_names(reader: Reader, selection: Selection) -> None:
    if selection.build is not None:
        known = [str(row[0]) for row in reader.rows("builds/names")]
        if selection.build not in known:
            raise UnknownNameError(f"no build {selection.build!r}; the store has: {', '.join(known) or 'none yet'}")
    for cell in selection.cells:
        if not reader.rows("exports/source_names", source=cell):
            raise UnknownNameError(f"no source {cell!r}; tso-data query source-coverage lists those there")
