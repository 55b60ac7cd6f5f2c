"""From answers to scores: `judge`, and `judge-selftest`, which tries the judge."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from .engine_options import (
    Attempts,
    BatchIn,
    BatchOut,
    BudgetTokens,
    BudgetUsd,
    CallTimeout,
    Concurrency,
    Endpoint,
    EngineName,
    EngineSettings,
    JournalFolder,
    KeyEnv,
    MaxWait,
    Price,
    Revision,
    Served,
    Shard,
    identity_of,
    journal_folder,
    limits_of,
    served_by,
    tell_journals,
)
from .exits import ExitCode, guarded
from .legible import say
from .opening import open_store, plain, print_json, recorded
from .options import AsJson, StorePath, Wait, listed
from .progress import Teller

if TYPE_CHECKING:
    from tsodata.judging import JudgeReport, Shelf, Task
    from tsodata.runner import Limits
    from tsodata.store import Store

RubricName = Annotated[
    str, typer.Option("--rubric", help="A shipped rubric, a TOML file, or KIND:PATH of a benchmark (docs/judging.md).")
]
ModelName = Annotated[str, typer.Option("--model", help="The judge: a model's name at the endpoint, or its folder.")]
JudgeName = Annotated[
    str | None, typer.Option("--judge-name", help="The name that its scores go by.", show_default="the model's")
]
Samples = Annotated[int | None, typer.Option("--k", min=1, help="Judgements of each answer.", show_default="rubric's")]
Greedy = Annotated[bool, typer.Option("--greedy", help="One judgement of each, at temperature 0.")]
Dimensions = Annotated[str | None, typer.Option("--dimensions", help="Only these: factuality,logic,…")]
Cells = Annotated[str | None, typer.Option("--cells", help="Only answers of these sources: owl/v3/13,human,…")]
OfDataset = Annotated[str | None, typer.Option("--dataset", help="Only prompts of this data set.")]
OfSeed = Annotated[int, typer.Option("--seed", min=0, help="The seed; each prompt and sample has its own from it.")]
ShowReferences = Annotated[
    bool, typer.Option("--reference/--no-reference", help="Show the reference where there is one and a form for it.")
]


@guarded
def judge(
    rubric: RubricName,
    model: ModelName,
    judge_name: JudgeName = None,
    k: Samples = None,
    greedy: Greedy = False,
    dimensions: Dimensions = None,
    cells: Cells = None,
    build: Annotated[str | None, typer.Option(help="Only answers of this build; its pairs, to compare.")] = None,
    against: Annotated[str | None, typer.Option(help="Compare with the answers of this source.")] = None,
    missing: Annotated[bool, typer.Option("--missing", help="Only answers that nobody has scored yet.")] = False,
    dataset: OfDataset = None,
    shard: Shard = None,
    journal: JournalFolder = None,
    batch_out: BatchOut = None,
    batch_in: BatchIn = None,
    reference: ShowReferences = True,
    canary: Annotated[str, typer.Option(help="Share of prompts to plant a canary on, such as 1%.")] = "0%",
    seed: OfSeed = 43,
    engine: EngineName = None,
    endpoint: Endpoint = None,
    key_env: KeyEnv = "OPENAI_API_KEY",
    revision: Revision = None,
    engine_option: EngineSettings = None,
    concurrency: Concurrency = 32,
    attempts: Attempts = 4,
    timeout: CallTimeout = 600.0,
    max_wait: MaxWait = 120.0,
    price: Price = None,
    budget_tokens: BudgetTokens = None,
    budget_usd: BudgetUsd = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, and ask nobody.")] = False,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Ask a judge for what answers lack: per answer, dimension and sample, once; run again, it asks for the rest.

    Pairs are compared in both orders; where these disagree, the pair is a tie and is counted.
    """
    from tsodata.judging import Choice, judgements_in, make_task, plan_judging

    choice = Choice(tuple(listed(cells)), build, dataset, missing, against, _shard(shard))
    task = make_task(
        rubric,
        judge=judge_name or model,
        dimensions=listed(dimensions),
        n_samples=k,
        is_greedy=greedy,
        seed=seed,
        show_references=reference,
        choice=choice,
    )
    share = _share(canary)
    opened = open_store(store, wait)
    folder = journal_folder(shard, journal)
    if dry_run:
        beside = judgements_in(folder, task.judge) if folder else frozenset()
        _print(plan_judging(opened, task, beside), as_json=as_json)
        return
    served = served_by(
        model, engine=engine, endpoint=endpoint, key_env=key_env, revision=revision, settings=engine_option,
        concurrency=concurrency, timeout_s=timeout,
    )  # fmt: skip
    limits = limits_of(
        model, concurrency=concurrency, attempts=attempts, max_wait=max_wait, price=price,
        budget_tokens=budget_tokens, budget_usd=budget_usd,
    )  # fmt: skip
    if batch_out:
        _write_batch(opened, task, served, path=batch_out, share=share, as_json=as_json)
    else:
        asking = _Asking(limits, share, folder, batch_in)
        _run(opened, task, served, asking=asking, as_json=as_json)


class _Asking(NamedTuple):
    """How it is asked, and where what it says is kept."""

    limits: Limits
    share: float
    folder: Path | None
    batch_in: Path | None


def _write_batch(store: Store, task: Task, served: Served, *, path: Path, share: float, as_json: bool) -> None:
    from tsodata.judging import write_requests

    n_requests, report = write_requests(store, task, identity_of(served), path=path, canary_share=share)
    if as_json:
        print_json({"path": str(path), "n_requests": n_requests, **plain(report)})
        return
    _print(report, as_json=False)
    print(f"{path} written: {n_requests} requests")


def _run(store: Store, task: Task, served: Served, *, asking: _Asking, as_json: bool) -> None:
    from tsodata.judging import JournalShelf, StoreShelf
    from tsodata.runner import raise_ending

    arguments = {
        **task.recorded(), **plain(served), "limits": plain(asking.limits), "canary": asking.share,
    }  # fmt: skip
    with recorded(store, arguments, seed=task.seed) as run:
        folder = asking.folder
        shelf: Shelf = JournalShelf(folder, run_key=run.key) if folder else StoreShelf(store, run)
        report = _asked(store, task, served, asking=asking, shelf=shelf)
        _print(report, as_json=as_json)
        if folder:
            tell_journals(folder)
        if report.sums:
            raise_ending(report.sums)
    if report.n_failed:
        raise typer.Exit(ExitCode.REFUSED)


def _asked(store: Store, task: Task, served: Served, *, asking: _Asking, shelf: Shelf) -> JudgeReport:
    from tsodata.batches import BatchEngine
    from tsodata.engines.choosing import make_engine
    from tsodata.judging import judge as judge_answers
    from tsodata.judging import read_replies

    if asking.batch_in:
        replies = BatchEngine(asking.batch_in, identity_of(served))
        return read_replies(store, task, replies, shelf=shelf, limits=asking.limits, canary_share=asking.share)
    teller = Teller()
    with contextlib.closing(teller):
        return judge_answers(
            store,
            task,
            make_engine(*served),
            shelf=shelf,
            limits=asking.limits,
            canary_share=asking.share,
            tell=lambda progress: teller(task.judge, progress),
        )


def _print(report: JudgeReport, *, as_json: bool) -> None:
    from .judging_report import judge_lines

    if as_json:
        print_json(plain(report))
    else:
        say(judge_lines(report))


@guarded
def selftest(
    rubric: RubricName,
    model: ModelName,
    judge_name: JudgeName = None,
    n: Annotated[int, typer.Option("--n", min=1, help="Answers to try, one a prompt.")] = 20,
    k: Samples = 1,
    dimensions: Dimensions = None,
    cells: Cells = None,
    dataset: OfDataset = None,
    reference: ShowReferences = True,
    seed: OfSeed = 43,
    engine: EngineName = None,
    endpoint: Endpoint = None,
    key_env: KeyEnv = "OPENAI_API_KEY",
    revision: Revision = None,
    engine_option: EngineSettings = None,
    concurrency: Concurrency = 32,
    attempts: Attempts = 4,
    timeout: CallTimeout = 600.0,
    max_wait: MaxWait = 120.0,
    price: Price = None,
    budget_tokens: BudgetTokens = None,
    budget_usd: BudgetUsd = None,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Try a judge with canned attacks and empty answers over stored answers: by how much does each lift the score?

    Measured, not prevented. The made-up answers are kept as evidence, apart from all material.
    """
    from tsodata.engines.choosing import make_engine
    from tsodata.judging import Choice, make_task
    from tsodata.judging import selftest as try_judge
    from tsodata.runner import raise_ending

    from .judging_report import selftest_lines

    task = make_task(
        rubric, judge=judge_name or model, dimensions=listed(dimensions), n_samples=k, seed=seed,
        show_references=reference, choice=Choice(tuple(listed(cells)), dataset=dataset),
    )  # fmt: skip
    served = served_by(
        model, engine=engine, endpoint=endpoint, key_env=key_env, revision=revision, settings=engine_option,
        concurrency=concurrency, timeout_s=timeout,
    )  # fmt: skip
    limits = limits_of(
        model, concurrency=concurrency, attempts=attempts, max_wait=max_wait, price=price,
        budget_tokens=budget_tokens, budget_usd=budget_usd,
    )  # fmt: skip
    opened, teller = open_store(store, wait), Teller()
    arguments = {**task.recorded(), **plain(served), "n": n}
    with recorded(opened, {**arguments, "limits": plain(limits)}, seed=seed) as run, contextlib.closing(teller):
        found = try_judge(
            opened, task, make_engine(*served), run=run, limits=limits, n_answers=n,
            tell=lambda progress: teller("self-test", progress),
        )  # fmt: skip
        if as_json:
            print_json(plain(found))
        else:
            say(selftest_lines(found))
        raise_ending(found.sums)
    if found.sums.n_failed:
        raise typer.Exit(ExitCode.REFUSED)


def _shard(text: str | None) -> tuple[int, int]:
    from tsodata.generating import Shard as Part

    part = Part.parse(text) if text else Part()
    return part.position, part.n_shards


def _share(text: str) -> float:
    from tsodata.errors import UsageError

    number, percent, rest = text.partition("%")
    try:
        share = float(number) / (100 if percent else 1)
    except ValueError:
        share = -1.0
    if rest or not 0 <= share <= 1:
        raise UsageError(f"--canary {text!r} is not a share such as 1% or 0.01")
    return share
