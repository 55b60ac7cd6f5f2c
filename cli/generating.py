"""From prompts to answers: `generate`."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    Shard,
    journal_folder,
    tell_journals,
)
from .exits import ExitCode, guarded
from .legible import say
from .opening import open_store, plain, print_json, recorded
from .options import AsJson, StorePath, Wait, named_values
from .progress import Teller

if TYPE_CHECKING:
    from tsodata.generating import Ask, CellReport
    from tsodata.runner import Limits
    from tsodata.store import Store


@guarded
def generate(
    cell: Annotated[str | None, typer.Option(help="The cell to fill, as FAMILY/VERSION/SIZE.")] = None,
    model: Annotated[str | None, typer.Option(help="The model's name at the endpoint, or its folder.")] = None,
    matrix: Annotated[Path | None, typer.Option(help="Many cells: a TOML file (docs/generate.md).")] = None,
    engine: EngineName = None,
    endpoint: Endpoint = None,
    key_env: KeyEnv = "OPENAI_API_KEY",
    revision: Revision = None,
    engine_option: EngineSettings = None,
    samples: Annotated[int, typer.Option("--samples", "-n", min=1, help="Answers to each prompt.")] = 1,
    dataset: Annotated[str | None, typer.Option(help="Only prompts of this data set.")] = None,
    build: Annotated[str | None, typer.Option(help="Only prompts of a minibatch of this build.")] = None,
    minibatch: Annotated[int | None, typer.Option(min=1, help="Which minibatch of the build.")] = None,
    temperature: Annotated[float, typer.Option(min=0, help="Sampling temperature.")] = 0.7,
    top_p: Annotated[float, typer.Option(min=0, max=1, help="Nucleus sampling.")] = 0.9,
    max_tokens: Annotated[int, typer.Option(min=1, help="Most tokens of an answer.")] = 2048,
    seed: Annotated[int, typer.Option(min=0, help="The seed; each prompt and sample has its own from it.")] = 43,
    concurrency: Concurrency = 32,
    attempts: Attempts = 4,
    timeout: CallTimeout = 600.0,
    max_wait: MaxWait = 120.0,
    price: Price = None,
    budget_tokens: BudgetTokens = None,
    budget_usd: BudgetUsd = None,
    shard: Shard = None,
    journal: JournalFolder = None,
    batch_out: BatchOut = None,
    batch_in: BatchIn = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, and ask nobody.")] = False,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Ask models for the answers that cells lack; each is stored once, and run again, it asks only for the rest.

    An answer that is older than the policy that stands in its cell now counts as lacking.
    """
    from tsodata.runner import Limits

    row: dict[str, object] = {
        "engine": engine, "endpoint": endpoint, "key_env": key_env, "revision": revision, "concurrency": concurrency,
        "settings": named_values(engine_option, "-e NAME=VALUE"), "samples": samples, "dataset": dataset, "seed": seed,
        "build": build, "minibatch": minibatch, "temperature": temperature, "top_p": top_p,
        "max_tokens": max_tokens, "timeout": timeout,
    }  # fmt: skip
    asks = _asks({**row, "cell": cell, "model": model}, matrix, price=price, shard=shard)
    limits = Limits(
        concurrency, attempts, max_wait, budget_tokens, budget_usd, asks[0].prices if budget_usd is not None else None
    )
    folder = journal_folder(shard, journal)
    opened = open_store(store, wait)
    if dry_run:
        _show_plan(opened, asks, folder=folder, as_json=as_json)
    elif batch_out:
        _write_batch(opened, asks, batch_out, as_json=as_json)
    else:
        _run(opened, asks, limits, folder=folder, batch_in=batch_in, as_json=as_json)


def _asks(row: dict[str, object], matrix: Path | None, *, price: Path | None, shard: str | None) -> list[Ask]:
    from tsodata.engines.choosing import check_options
    from tsodata.errors import UsageError
    from tsodata.generating import PriceTable, make_ask, read_matrix
    from tsodata.generating import Shard as Part

    given = {name: value for name, value in row.items() if value is not None}
    if matrix:
        if "cell" in given or "model" in given:
            raise UsageError("--matrix names cells and models; leave --cell and --model out")
        asks = read_matrix(matrix, given)
    else:
        asks = [make_ask(given, where="--cell and --model")]
    prices = PriceTable.read(price) if price else None
    part = Part.parse(shard) if shard else Part()
    asks = [replace(ask, shard=part, prices=prices.of(ask.model) if prices else None) for ask in asks]
    for ask in asks:
        check_options(ask.engine, ask.options)  # before the arguments of this run are recorded
    return asks


def _show_plan(store: Store, asks: Sequence[Ask], *, folder: Path | None, as_json: bool) -> None:
    from tsodata.generating import journal_answers, plan_cell

    from .generating_report import plan_lines

    beside = partial(journal_answers, folder) if folder and folder.is_dir() else None
    plans = [plan_cell(store, ask, beside=beside) for ask in asks]
    if as_json:
        print_json([plain(plan) for plan in plans])
    else:
        say(plan_lines(plans))


def _write_batch(store: Store, asks: Sequence[Ask], path: Path, *, as_json: bool) -> None:
    from tsodata.generating import write_requests

    n_requests, skipped = write_requests(store, _only(asks, "--batch-out"), path)
    if as_json:
        print_json({"path": str(path), "n_requests": n_requests, "skipped": skipped})
        return
    left_out = f"; {skipped.total()} wait for the turn before" if skipped else ""
    print(f"{path} written: {n_requests} requests{left_out}")


def _only(asks: Sequence[Ask], option: str) -> Ask:
    from tsodata.errors import UsageError

    if len(asks) > 1:
        raise UsageError(f"a batch file is of one model; pass {option} with --cell and --model")
    return asks[0]


def _run(
    store: Store, asks: Sequence[Ask], limits: Limits, *, folder: Path | None, batch_in: Path | None, as_json: bool
) -> None:
    from tsodata.generating import JournalShelf, Shelf, StoreShelf, fill_cells, read_replies
    from tsodata.runner import raise_ending

    teller = Teller()
    arguments: dict[str, object] = {"cells": [_recorded_ask(ask) for ask in asks], "limits": plain(limits)}
    with recorded(store, arguments, seed=asks[0].seed) as run:
        shelf: Shelf = JournalShelf(folder, run_key=run.key) if folder else StoreShelf(store, run)
        if batch_in:
            reports = [read_replies(store, _only(asks, "--batch-in"), shelf, path=batch_in, limits=limits)]
        else:
            with contextlib.closing(teller):
                reports = fill_cells(store, asks, shelf, limits=limits, tell=teller)
        _print(reports, as_json=as_json)
        if folder:
            tell_journals(folder)
        raise_ending(reports[-1].sums)
    if any(report.n_failed for report in reports):
        raise typer.Exit(ExitCode.REFUSED)


def _recorded_ask(ask: Ask) -> dict[str, object]:
    """Return what a run records of a cell; there is no key in it, only the name of the variable that holds one."""
    return {**plain(ask), "source": ask.source.label}


def _print(reports: Sequence[CellReport], *, as_json: bool) -> None:
    from .generating_report import report_lines

    if as_json:
        print_json([{**plain(report), "n_left": report.n_left, "n_failed": report.n_failed} for report in reports])
    else:
        say(report_lines(reports))
