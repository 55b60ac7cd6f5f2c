"""`tso-data`: the store's commands. Each parses, calls the library, and reports."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .exits import ExitCode, guarded, narrate
from .options import AsCsv, AsJson, Base, Limit, Memory, ParquetFile, StorePath, Timeout, Versions, Wait, listed

if TYPE_CHECKING:
    from tsodata.provenance import Run
    from tsodata.store import Store

app = typer.Typer(
    name="tso-data",
    help="The preference store: prompts, matrix answers, human answers, scores, and the pairs drawn from them.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the app; the entry point of the installed command."""
    app()


def _open(path: Path | None, wait: float | None, *, create: bool = False) -> Store:
    from tsodata.store import Store

    return Store.open(path, create=create, wait_s=wait)


@contextlib.contextmanager
def _run(store: Store, arguments: dict[str, object], *, seed: int | None = None) -> Iterator[Run]:
    from tsodata.provenance import Run

    plain = {name: str(value) if isinstance(value, Path) else value for name, value in arguments.items()}
    with store.run(Run.of_process(plain, seed=seed)) as run:
        yield run


def _print_json(value: object) -> None:
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2, default=str)
    print()


@app.callback(invoke_without_command=True)
def _version(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version and stop.", is_eager=True)] = False
) -> None:
    if version:
        from tsodata import __version__

        print(f"tso {__version__}")
        raise typer.Exit


@app.command()
@guarded
def init(store: StorePath = None, wait: Wait = None) -> None:
    """Make a store, or bring one up to date."""
    opened = _open(store, wait, create=True)
    print(f"{opened.path} is ready")


@app.command(name="import")
@guarded
def import_(
    format_name: Annotated[
        str, typer.Argument(metavar="FORMAT", help="The format of the files; --formats lists them.")
    ],
    paths: Annotated[list[Path] | None, typer.Argument(metavar="PATH…", help="Files, plain or as .gz or .zst.")] = None,
    models: Annotated[Path | None, typer.Option(help="A table of name, family, version, size.")] = None,
    family: Annotated[str | None, typer.Option(help="The cell's family, for files of one model.")] = None,
    version: Annotated[str | None, typer.Option(help="The cell's version.")] = None,
    size: Annotated[str | None, typer.Option(help="The cell's size: 13, 13B, 350M.")] = None,
    dataset: Annotated[str | None, typer.Option(help="The data set's name, where rows do not say.")] = None,
    human: Annotated[str | None, typer.Option(help="People answered; what to call them, such as human.")] = None,
    judge: Annotated[str | None, typer.Option(help="The judge of scores that do not name theirs.")] = None,
    mapping: Annotated[
        list[str] | None, typer.Option("--map", help="FIELD=COLUMN, for records and chat; may be repeated.")
    ] = None,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Add files of a format to the store. Importing twice adds nothing."""
    from tsodata.errors import UsageError
    from tsodata.importers import FORMATS, ImportOptions, import_files
    from tsodata.records import parse_size

    from .report import import_lines

    if format_name not in FORMATS:
        raise UsageError(f"no format {format_name!r}; known are {', '.join(FORMATS)}")
    if not paths:
        raise UsageError(f"name the files to import: tso-data import {format_name} PATH…")
    try:
        size_b = parse_size(size)
    except ValueError as error:
        raise UsageError(f"--{error}") from None
    options = ImportOptions(
        models, family, version, size_b, dataset, _pairs(mapping, "--map FIELD=COLUMN"), human, judge
    )
    opened = _open(store, wait, create=True)
    asked = {name: str(value) for name, value in asdict(options).items() if value}
    with _run(opened, {"format": format_name, "paths": [str(path) for path in paths], **asked}) as run:
        reports = import_files(opened, format_name, paths, run=run, options=options, progress=narrate)
    if as_json:
        _print_json(
            [{**asdict(report), "rows": report.rows, "unplaced": sorted(report.unplaced)} for report in reports]
        )
    else:
        print(*import_lines(format_name, reports), sep="\n")
    if any(report.failed for report in reports):
        raise typer.Exit(ExitCode.REFUSED)


def _pairs(texts: list[str] | None, what: str) -> dict[str, str]:
    from tsodata.errors import UsageError

    found = {}
    for text in texts or []:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise UsageError(f"{text!r} is not {what}")
        found[name] = value
    return found


@app.command()
@guarded
def matrix(
    base: Base,
    versions: Versions = None,
    dataset: Annotated[str | None, typer.Option(help="Count the prompts of this data set only.")] = None,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show the grid of versions and sizes around a base model, and who stands on which side (Eqs. 1, 2)."""
    from tsodata.coverage import load_coverage, load_matrix

    from .report import matrix_lines

    with _open(store, wait).reader() as reader:
        found = load_coverage(reader, load_matrix(reader, base, listed(versions)), dataset)
    if not as_json:
        print(*matrix_lines(found), sep="\n")
        return
    cells = [
        {**asdict(cell), "source": cell.source.label, "kind": cell.source.kind, "version": cell.source.version,
         "size": cell.source.size_b}
        for cell in found.cells
    ]  # fmt: skip
    sides = {"chosen": [s.label for s in found.matrix.chosen], "rejected": [s.label for s in found.matrix.rejected]}
    _print_json(
        {"base": found.matrix.base.label, "versions": found.matrix.order.versions,
         "n_prompts": found.n_prompts, **sides, "cells": cells}
    )  # fmt: skip


@app.command(name="build-pairs")
@guarded
def build_pairs_(
    name: Annotated[str, typer.Argument(help="The build's name.")],
    base: Base,
    recipe: Annotated[str, typer.Option(help="tso, weighted, max_min, or a TOML file.")] = "tso",
    seed: Annotated[int | None, typer.Option(min=0, help="The seed.", show_default="43")] = None,
    n: Annotated[
        int | None, typer.Option("--n", min=1, help="Pairs to draw.", show_default="all that the shares allow")
    ] = None,
    minibatches: Annotated[int | None, typer.Option(min=1, help="Minibatches.", show_default="3")] = None,
    pairs_per_prompt: Annotated[int | None, typer.Option(min=1, help="Pairs per prompt.", show_default="1")] = None,
    held_out: Annotated[float | None, typer.Option(min=0, max=0.999, help="Share of prompts held out.")] = None,
    answered_by: Annotated[str | None, typer.Option(help="Only prompts that all of these answered: human,…")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only prompts of these data sets.")] = None,
    versions: Versions = None,
    allow_short: Annotated[bool, typer.Option("--allow-short", help="Build even where a pool lacks material.")] = False,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Draw chosen/rejected pairs: a pure function of (snapshot, recipe, seed)."""
    from tsodata.builds import build_pairs
    from tsodata.recipes import load_recipe

    from .report import build_lines

    drawn = load_recipe(recipe).with_options(
        seed=seed, n=n, minibatches=minibatches, pairs_per_prompt=pairs_per_prompt, held_out=held_out
    )
    drawn = drawn.with_filters(answered_by=tuple(listed(answered_by)), datasets=tuple(listed(dataset)))
    opened = _open(store, wait)
    with _run(opened, {"name": name, "base": base, "recipe": json.loads(drawn.body())}, seed=drawn.seed) as run:
        build = build_pairs(
            opened, name, base=base, recipe=drawn, run=run, versions=listed(versions), allow_short=allow_short
        )
    if as_json:
        _print_json(_build_dict(build))
    else:
        print(*build_lines(build), sep="\n")
    for warning in build.warnings:
        narrate(f"tso-data: warning: {warning}")


def _build_dict(build: Any) -> dict[str, object]:
    keys = sorted({(share.pool, share.side) for share in build.shares})
    tests = [
        {"pool": pool, "side": side, "effective_sources": build.effective_sources(pool, side),
         "chi_square": test._asdict() if (test := build.test(pool, side)) else None}
        for pool, side in keys
    ]  # fmt: skip
    return {**asdict(build), "shares": [share._asdict() for share in build.shares], "sides": tests}


@app.command()
@guarded
def builds(
    name: Annotated[str | None, typer.Argument(help="One build, with its shares and yield.")] = None,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the builds, or show one."""
    from .report import build_lines

    opened = _open(store, wait)
    if name is not None:
        from tsodata.builds import find_build

        build = find_build(opened, name)
        if as_json:
            _print_json(_build_dict(build))
        else:
            print(*build_lines(build), sep="\n")
        return
    from .output import write_frame

    frame = opened.sql(
        "select build, base, n_pairs, n_prompts, n_minibatches, seed, build_id, snapshot_id "
        "from v_builds order by build"
    )
    write_frame(frame, as_json=as_json)


@app.command()
@guarded
def explain(
    pair: Annotated[str, typer.Argument(metavar="PAIR", help="A pair's id, as in v_pairs.")],
    build: Annotated[str | None, typer.Option(help="The build to explain it for.", show_default="all")] = None,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Tell where a pair comes from: sources, settings, runs, scores with the judge's words, and why it was drawn."""
    from tsodata.lineage import explain_pair

    from .report import explain_lines

    story = explain_pair(_open(store, wait), pair, build=build)
    if as_json:
        _print_json(story)
    else:
        print(*explain_lines(story), sep="\n")


@app.command()
@guarded
def export(
    name: Annotated[str, typer.Argument(help="The build's name.")],
    to: Annotated[str, typer.Option(help="trl, h4, parquet or jsonl.")],
    out: Annotated[Path, typer.Option(help="The folder to write; whole, or not at all.")],
    minibatch: Annotated[int | None, typer.Option(help="One minibatch only.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier export.")] = False,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write a build for a trainer, with a manifest."""
    from tsodata.exporters import export_build

    from .report import export_lines

    opened = _open(store, wait)
    with _run(opened, {"build": name, "to": to, "out": out, "minibatch": minibatch}) as run:
        report = export_build(opened, name, to=to, out=out, run=run, minibatch=minibatch, overwrite=overwrite)
    if as_json:
        _print_json(asdict(report))
    else:
        print(*export_lines(report), sep="\n")


@app.command()
@guarded
def sql(
    statement: Annotated[str, typer.Argument(metavar="SQL", help="One SELECT; - reads it from stdin.")],
    limit: Limit = 100,
    parquet: ParquetFile = None,
    memory: Memory = "1GB",
    timeout: Timeout = 600.0,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Ask the store in SQL, read-only. The views for people begin with v_ (docs/views.md)."""
    text = sys.stdin.read() if statement == "-" else statement
    _ask(
        _open(store, wait), text, None, (memory, timeout), as_json=as_json, as_csv=as_csv, parquet=parquet, limit=limit
    )


@app.command()
@guarded
def query(
    name: Annotated[str | None, typer.Argument(help="The query's name.")] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", help="NAME=VALUE; may be repeated.")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the queries and their parameters.")] = False,
    limit: Limit = 100,
    parquet: ParquetFile = None,
    memory: Memory = "1GB",
    timeout: Timeout = 600.0,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Run a named query over provenance."""
    from tsodata import queries
    from tsodata.errors import UsageError

    if list_:
        for found in map(queries.named, queries.names()):
            takes = " ".join(p.name if p.default is None else f"[{p.name}]" for p in found.parameters)
            print(f"{found.name} {takes}".rstrip(), f"    {' '.join(found.question.split())}", sep="\n")
        return
    if name is None:
        raise UsageError("name a query, or pass --list")
    asked = queries.named(name)
    bound = asked.bind(_pairs(parameter, "-p NAME=VALUE"))
    limits = (memory, timeout)
    _ask(_open(store, wait), asked.sql, bound, limits, as_json=as_json, as_csv=as_csv, parquet=parquet, limit=limit)


def _ask(store: Store, text: str, bound: dict[str, object] | None, limits: tuple[str, float], **output: Any) -> None:
    from tsodata.store import run_statement

    from .limits import cap_memory
    from .output import to_frame, write_frame

    memory, timeout_s = limits
    cap_memory(memory)
    with store.locked_down(memory=memory, timeout_s=timeout_s) as connection:
        frame = to_frame(run_statement(connection, text, bound))
    write_frame(frame, **output)
