"""What an evaluation is made of: the stored verdicts and scores it counts, and how rows and remarks leave it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from tsodata.errors import UnknownNameError, UsageError
from tsodata.store import Reader

N_REPLICATES = 1000
Item = TypeVar("Item")


class Which(NamedTuple):
    """Which judgements count: by a rubric, or all that begin with its name and a slash; of a judge, of a data set."""

    rubric: str
    judge: str | None = None
    dataset: str | None = None


class Verdict(NamedTuple):
    """A judge's verdict on two answers: `preference` is how much A is preferred over B, None where it is not known."""

    judge: str
    prompt_key: int
    prompt: str
    a: str
    b: str
    preference: float | None
    a_chars: int
    b_chars: int


class Scored(NamedTuple):
    """A judge's score of one answer in one dimension, None where there is none."""

    judge: str
    prompt_key: int
    n_turns: int
    tags: list[str]
    model: str
    dimension: str
    value: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The rows of a figure, best first, each a mapping from column to value, and what to know before quoting them."""

    rows: list[dict[str, object]]
    notes: list[str] = field(default_factory=list)


def load_verdicts(reader: Reader, which: Which) -> list[Verdict]:
    """Return the verdicts by a pairwise rubric, by judge and prompt.

    Raises:
        UnknownNameError: there are none.
    """
    found = [Verdict(*row) for row in reader.rows("evals/verdicts", **which._asdict())]
    return found or _nothing("preferences", which)


def load_scores(reader: Reader, which: Which) -> list[Scored]:
    """Return the scores by a pointwise rubric, by judge, prompt and model.

    Raises:
        UnknownNameError: there are none.
    """
    found = [Scored(*row) for row in reader.rows("evals/scores", **which._asdict())]
    return found or _nothing("scores", which)


def _nothing(what: str, which: Which) -> list[Item]:
    by = f" of judge {which.judge!r}" if which.judge else ""
    on = f" on data set {which.dataset!r}" if which.dataset else ""
    raise UnknownNameError(f"the store has no {what} by rubric {which.rubric!r}{by}{on}; import or judge some first")


def one_label(reader: Reader, name: str) -> str:
    """Return the label of the one source that a label, or a name that a file used, stands for.

    Raises:
        UnknownNameError: it stands for none.
        UsageError: it stands for several.
    """
    found = [str(label) for (label,) in reader.rows("evals/labels", name=name)]
    if not found:
        raise UnknownNameError(f"no source goes by {name!r}; tso-data query source-coverage lists them")
    if len(found) > 1:
        raise UsageError(f"{name!r} stands for several sources: {', '.join(found)}; name one of them")
    return found[0]


def judge_notes(judges: Sequence[str], official: Sequence[str], figure: str) -> list[str]:
    """Return a remark where a judge is not one that the published figures were made with."""
    others = sorted(set(judges) - set(official))
    if not others:
        return []
    return [f"{', '.join(others)} is not {figure}'s judge ({' or '.join(official)}): not to be set beside its figures"]


def rubric_notes(rubric: str, own: str, figure: str) -> list[str]:
    """Return a remark where a rubric does not ask in the benchmark's own words."""
    if rubric == own or rubric.startswith(f"{own}/"):
        return []
    return [f"{rubric} does not ask in {figure}'s words ({own}): not to be set beside its figures"]


def bootstrap(
    items: Sequence[Item],
    figure: Callable[[Sequence[Item]], float],
    *,
    seed: int,
    n_replicates: int = N_REPLICATES,
    tail: float = 0.025,
) -> tuple[float, float]:
    """Return where a figure lies when items are drawn with replacement: its `tail` and `1 - tail` quantiles."""
    draw = random.Random(seed)  # noqa: S311 - a bootstrap, no secret
    found = sorted(figure(draw.choices(items, k=len(items))) for _ in range(n_replicates))
    return quantile(found, tail), quantile(found, 1 - tail)


def quantile(ordered: Sequence[float], at: float) -> float:
    """Return a quantile of ordered values, straight lines between them (type 7 of Hyndman and Fan 1996)."""
    place = at * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
