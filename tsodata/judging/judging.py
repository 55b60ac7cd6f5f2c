"""A judge at work: what is missing is asked for, canaries among it, and what came of it is told."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from tsodata.batches import BatchEngine, n_unusable, write_batch
from tsodata.calls import done_requests
from tsodata.engines.protocol import Engine, ModelIdentity, Request
from tsodata.errors import UsageError
from tsodata.judging.asking import Judging
from tsodata.judging.canaries import Canaries
from tsodata.judging.choosing import Chosen, Given, Task, choose
from tsodata.judging.keeping import TASK, Shelf
from tsodata.runner import Limits, Sums, Tell, run_requests
from tsodata.store import Store


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
    n_rows: int | None = None  # of a batch file: the requests of it, and what is in `unplaced`
    unplaced: dict[str, int] = field(default_factory=dict)
    read: tuple[Read, ...] = ()
    orders: Orders | None = None
    canaries: tuple[CanaryRank, ...] = ()

    @property
    def n_failed(self) -> int:
        """Return how many requests, or lines of a batch file, gave no judgement."""
        return (self.sums.n_failed if self.sums else 0) + n_unusable(self.unplaced)


def plan_judging(store: Store, task: Task, beside: Collection[Given] = frozenset()) -> JudgeReport:
    """Return what a task would ask, without asking; `beside` are judgements kept elsewhere than in the store.

    Raises:
        UnknownNameError, UsageError: as `choose`.
    """
    return _planned(task, _chosen(store, task, beside))


def judge(
    store: Store,
    task: Task,
    engine: Engine,
    *,
    shelf: Shelf,
    limits: Limits,
    canary_share: float = 0.0,
    tell: Tell = lambda _: None,
) -> JudgeReport:
    """Ask a judge for everything of a task that is missing, and return what came of it.

    Raises:
        UnknownNameError, UsageError: as `choose`; or canaries are wanted where two answers are compared.
    """
    chosen = _chosen(store, task, shelf.beside(task.judge))
    judging = Judging(store, task, engine.identity)
    requests = _requests(judging, chosen, canary_share)
    keep = judging.keep(engine, shelf)
    with contextlib.closing(shelf):
        sums = run_requests(requests, engine, keep, limits=limits, n_total=chosen.n_missing, tell=tell)
    return _reported(store, chosen, judging=judging, sums=sums)


def write_requests(
    store: Store, task: Task, identity: ModelIdentity, *, path: Path, canary_share: float = 0.0
) -> tuple[int, JudgeReport]:
    """Write what a task lacks as an OpenAI batch file; return how many requests, and the plan.

    Raises:
        UnknownNameError, UsageError: as `judge`; or the file cannot be written.
    """
    chosen = _chosen(store, task)
    judging = Judging(store, task, identity)
    n = write_batch(path, _requests(judging, chosen, canary_share), model=identity.name)
    return n, replace(_planned(task, chosen), skipped=dict(chosen.skipped + judging.outcomes.skipped))


def read_replies(
    store: Store, task: Task, engine: BatchEngine, *, shelf: Shelf, limits: Limits, canary_share: float = 0.0
) -> JudgeReport:
    """Keep the replies of an OpenAI batch file, and return what came of its lines.

    Raises:
        UnknownNameError, UsageError: as `judge`.
    """
    chosen = _chosen(store, task, shelf.beside(task.judge))
    judging = Judging(store, task, engine.identity)
    requests = engine.replied(_requests(judging, chosen, canary_share))
    keep = judging.keep(engine, shelf)
    with contextlib.closing(shelf):
        sums = run_requests(requests, engine, keep, limits=replace(limits, max_attempts=1))
    with store.reader() as reader:
        unplaced = engine.unplaced(done_requests(reader, TASK))
    report = _reported(store, chosen, judging=judging, sums=sums)
    return replace(report, n_rows=engine.n_rows, unplaced=dict(unplaced))


def _chosen(store: Store, task: Task, beside: Collection[Given] = frozenset()) -> Chosen:
    with store.reader() as reader:
        return choose(reader, task).without(beside, task.rubric_keys)


def _requests(judging: Judging, chosen: Chosen, canary_share: float) -> Iterator[Request]:
    rubric = judging.task.rubric
    if canary_share and rubric.kind != "pointwise":
        raise UsageError(f"rubric {rubric.name} compares; canaries are for rubrics that score one answer")
    canaries = Canaries(canary_share, judging.task.seed)
    return judging.requests(chosen, planted=canaries.planted)


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


def _reported(store: Store, chosen: Chosen, *, judging: Judging, sums: Sums) -> JudgeReport:
    task = judging.task
    is_pairwise = task.rubric.kind == "pairwise"
    where = {"judge": task.judge, "rubrics": task.rubric_keys}
    with store.reader() as reader:
        read = [] if is_pairwise else reader.rows("judging/read", **where)
        orders = Orders(*reader.rows("judging/agreement_of_orders", **where)[0]) if is_pairwise else None
        ranks = [] if is_pairwise else reader.rows("judging/canaries", **where)
    return replace(
        _planned(task, chosen),
        skipped=dict(chosen.skipped + judging.outcomes.skipped),
        sums=sums,
        outcomes=dict(sorted(judging.outcomes.read.items())),
        read=tuple(Read(*row) for row in read),
        orders=orders if orders and orders.n_pairs else None,
        canaries=tuple(CanaryRank(*row) for row in ranks),
    )
