"""Fills cells of the matrix: what each lacks is planned, asked for and kept, one model at a time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tsodata.batches import BatchEngine, n_unusable, write_batch
from tsodata.calls import done_requests
from tsodata.engines.choosing import make_engine
from tsodata.engines.protocol import Engine, Request
from tsodata.generating.answering import TASK, Shelf
from tsodata.generating.asking import Ask
from tsodata.generating.planning import Beside, Plan
from tsodata.runner import Ending, Limits, Progress, Sums, run_waves
from tsodata.store import Store

CHARS_PER_TOKEN = 4  # a rule of thumb, for estimates only
Tell = Callable[[str, Progress], None]


@dataclass(frozen=True, slots=True)
class CellPlan:
    """What a cell lacks, and the most that it can cost. Tokens of prompts are estimated from their characters."""

    cell: str
    engine: str
    model: str
    n_prompts: int
    n_requests: int
    n_stale: int
    n_prompt_tokens: int
    max_completion_tokens: int
    max_usd: float | None


@dataclass(slots=True)
class CellReport:
    """What came of a cell: `n_lacking` is what was answered, failed, skipped, and what is left."""

    cell: str
    engine: str
    model: str
    n_lacking: int
    sums: Sums = field(default_factory=Sums)
    skipped: Counter[str] = field(default_factory=Counter)
    n_rows: int | None = None  # of a batch file: the requests of it, and what is in `unplaced`
    unplaced: Counter[str] = field(default_factory=Counter)

    @property
    def n_left(self) -> int:
        """Return how many requests were neither answered nor given up: a run that goes on asks for them."""
        return self.n_lacking - self.sums.n_done - self.sums.n_failed - self.skipped.total()

    @property
    def n_failed(self) -> int:
        """Return how many requests, or lines of a batch file, gave no answer."""
        return self.sums.n_failed + n_unusable(self.unplaced)


def plan_cell(store: Store, ask: Ask, *, beside: Beside | None = None) -> CellPlan:
    """Return what a cell lacks, without asking anybody. `beside` finds the answers that are kept outside the store.

    Raises:
        UnknownNameError: no prompt comes from the data set, or there is no such build.
        UsageError: the build has no such minibatch; or the engine, which says whose answers count, cannot be used.
    """
    plan = Plan(store, ask)
    if beside and plan.n_planned:
        engine = make_engine(ask.engine, ask.model, ask.options)
        asyncio.run(engine.close())
        plan.answer_by(engine.identity, beside)
    n_prompt_tokens = -(-plan.n_chars // CHARS_PER_TOKEN)
    most = plan.n_planned * ask.sampling.max_tokens
    return CellPlan(
        cell=ask.source.label,
        engine=ask.engine,
        model=ask.model,
        n_prompts=plan.n_prompts,
        n_requests=plan.n_planned,
        n_stale=plan.n_stale,
        n_prompt_tokens=n_prompt_tokens,
        max_completion_tokens=most,
        max_usd=ask.prices.usd(n_prompt_tokens, most) if ask.prices else None,
    )


def fill_cells(
    store: Store,
    asks: Sequence[Ask],
    shelf: Shelf,
    *,
    limits: Limits,
    tell: Tell = lambda _cell, _progress: None,
) -> list[CellReport]:
    """Fill cells one after the other, and return what came of each; one that ends early is the last.

    Budgets are of all cells together.

    Raises:
        UsageError: an engine cannot be used as asked.
    """
    reports = []
    for ask in asks:
        plan = Plan(store, ask)
        report = CellReport(ask.source.label, ask.engine, ask.model, plan.n_planned)
        if plan.n_planned:
            engine = make_engine(ask.engine, ask.model, ask.options)
            report.n_lacking = plan.answer_by(engine.identity, shelf.beside).n_planned
            report.sums = _fill(plan, engine, shelf, limits=replace(limits, prices=ask.prices), tell=tell)
            limits = limits.less(report.sums.n_tokens, report.sums.usd or 0.0)
        report.skipped = plan.skipped
        reports.append(report)
        if report.sums.ending is not Ending.DONE:
            break
    return reports


def _fill(plan: Plan, engine: Engine, shelf: Shelf, *, limits: Limits, tell: Tell) -> Sums:
    try:
        return run_waves(
            plan.waves(),
            engine,
            shelf.keep(plan, engine),
            limits=limits,
            n_total=plan.n_planned,
            tell=lambda progress: tell(plan.ask.source.label, progress),
        )
    finally:
        shelf.close()


def write_requests(store: Store, ask: Ask, path: Path) -> tuple[int, Counter[str]]:
    """Write what a cell lacks as an OpenAI batch file; return how many requests, and what was skipped.

    Raises:
        UsageError: the file cannot be written.
    """
    plan = Plan(store, ask)
    plan.answer_by(plan.identity)
    n = write_batch(path, _all(plan), model=ask.model)
    return n, plan.skipped


def _all(plan: Plan) -> Iterator[Request]:
    for wave in plan.waves():
        yield from wave


def read_replies(store: Store, ask: Ask, shelf: Shelf, *, path: Path, limits: Limits) -> CellReport:
    """Keep the replies of an OpenAI batch file, and return what came of its lines.

    Raises:
        ImportRefusedError: the file cannot be read.
    """
    plan = Plan(store, ask)
    engine = BatchEngine(path, plan.identity)
    plan.answer_by(plan.identity, shelf.beside)
    once = replace(limits, max_attempts=1, prices=ask.prices)
    sums = run_waves(map(engine.replied, plan.waves()), engine, shelf.keep(plan, engine), limits=once)
    shelf.close()
    with store.reader() as reader:
        unplaced = engine.unplaced(done_requests(reader, TASK))
    return CellReport(
        ask.source.label, engine.name, ask.model, plan.n_planned, sums, plan.skipped, engine.n_rows, unplaced
    )
