"""A judge at work: what is missing is asked for, canaries among it, and what came of it is told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from tsodata.engines.protocol import Engine
from tsodata.errors import UsageError
from tsodata.judging.asking import Judging
from tsodata.judging.canaries import Canaries
from tsodata.judging.choosing import Chosen, Task, choose
from tsodata.provenance import Run
from tsodata.runner import Limits, Sums, Tell, run_requests
from tsodata.store import Reader, Store


class Read(NamedTuple):
    """What is stored of a judge's work in one dimension: means over answers, and how far samples of one lie apart."""

    dimension: str
    n_answers: int
    n_scores: int
    n_without: int
    mean: float | None
    sd: float | None
    sd_of_samples: float | None


class Orders(NamedTuple):
    """Pairs judged in both orders; where the orders disagree the pair is a tie, and counted here."""

    n_pairs: int
    n_decided: int
    n_ties: int
    n_disagreements: int
    n_incomplete: int


class CanaryRank(NamedTuple):
    """How canaries rank against the answers they stand for, in one dimension: all should be below."""

    dimension: str
    n_canaries: int
    n_below: int
    n_equal: int
    n_above: int
    n_without: int


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """What came of a task.

    `n_items` answers (pairs) are skipped by reason or asked about; `n_asked` judgements of the others are present
    already or missing; of the missing, `sums` tells what was done, failed and is left.
    """

    judge: str
    rubric: str
    parser: str
    n_items: int
    n_asked: int
    n_present: int
    n_missing: int
    skipped: dict[str, int]
    is_pairwise: bool = False
    sums: Sums | None = None
    outcomes: dict[str, int] | None = None
    read: tuple[Read, ...] = ()
    orders: Orders | None = None
    canaries: tuple[CanaryRank, ...] = ()


def plan_judging(store: Store, task: Task) -> JudgeReport:
    """Return what a task would ask, without asking.

    Raises:
        UnknownNameError, UsageError: as `choose`.
    """
    with store.reader() as reader:
        return _planned(task, choose(reader, task))


def judge(
    store: Store,
    task: Task,
    engine: Engine,
    *,
    run: Run,
    limits: Limits,
    canary_share: float = 0.0,
    tell: Tell = lambda _: None,
) -> JudgeReport:
    """Ask a judge for everything of a task that is missing, and return what came of it.

    Raises:
        UnknownNameError, UsageError: as `choose`.
    """
    if canary_share and task.rubric.kind != "pointwise":
        raise UsageError(f"rubric {task.rubric.name} compares; canaries are for rubrics that score one answer")
    with store.reader() as reader:
        chosen = choose(reader, task)
    judging = Judging(store, task, engine, run)
    canaries = Canaries(canary_share, task.seed)
    requests = judging.requests(chosen, planted=canaries.planted)
    sums = run_requests(requests, engine, judging.keep, limits=limits, n_total=chosen.n_missing, tell=tell)
    with store.reader() as reader:
        return _reported(reader, task, chosen, judging=judging, sums=sums)


def _planned(task: Task, chosen: Chosen) -> JudgeReport:
    return JudgeReport(
        judge=task.judge,
        rubric=task.rubric.name,
        parser=task.rubric.parser,
        n_items=chosen.n_items,
        n_asked=chosen.n_asked,
        n_present=chosen.n_present,
        n_missing=chosen.n_missing,
        skipped=dict(chosen.skipped),
        is_pairwise=task.rubric.kind == "pairwise",
    )


def _reported(reader: Reader, task: Task, chosen: Chosen, *, judging: Judging, sums: Sums) -> JudgeReport:
    is_pairwise = task.rubric.kind == "pairwise"
    where = {"judge": task.judge, "rubrics": task.rubric_keys}
    ranks = [] if is_pairwise else reader.rows("judging/canaries", judge=task.judge, rubrics=task.rubric_keys)
    return replace(
        _planned(task, chosen),
        skipped=dict(chosen.skipped + judging.outcomes.skipped),
        sums=sums,
        outcomes=dict(sorted(judging.outcomes.read.items())),
        read=() if is_pairwise else tuple(Read(*row) for row in reader.rows("judging/read", **where)),
        orders=Orders(*reader.rows("judging/agreement_of_orders", **where)[0]) if is_pairwise else None,
        canaries=tuple(CanaryRank(*row) for row in ranks),
    )
