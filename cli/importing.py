"""Filling the store: `init` and `import`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from .exits import ExitCode, guarded, narrate
from .legible import say
from .opening import open_store, plain, print_json, recorded
from .options import AsJson, StorePath, Wait, named_values


@guarded
def init(store: StorePath = None, wait: Wait = None) -> None:
    """Make a store, or bring one up to date."""
    opened = open_store(store, wait, create=True)
    print(f"{opened.path} is ready")


@guarded
def import_(
    format_name: Annotated[
        str | None, typer.Argument(metavar="FORMAT", help="The format of the files; --formats lists them.")
    ] = None,
    paths: Annotated[list[Path] | None, typer.Argument(metavar="PATH", help="Files, folders, quoted patterns.")] = None,
    models: Annotated[Path | None, typer.Option(help="A table of name, family, version, size.")] = None,
    family: Annotated[str | None, typer.Option(help="The cell's family, for files of one model.")] = None,
    version: Annotated[str | None, typer.Option(help="The cell's version.")] = None,
    size: Annotated[str | None, typer.Option(help="The cell's size: 13, 13B, 350M.")] = None,
    dataset: Annotated[str | None, typer.Option(help="The data set's name, where rows do not say.")] = None,
    human: Annotated[str | None, typer.Option(help="People answered; what to call them, such as human.")] = None,
    judge: Annotated[str | None, typer.Option(help="The judge of scores that do not name theirs.")] = None,
    by: Annotated[str | None, typer.Option(help="Corrections: the stronger model whose scores they are.")] = None,
    mapping: Annotated[
        list[str] | None, typer.Option("--map", help="FIELD=COLUMN, for records, chat, argilla and label-studio.")
    ] = None,
    formats: Annotated[bool, typer.Option("--formats", help="List the formats, and what each adds.")] = False,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Add files of a format to the store. Importing twice adds nothing."""
    from tsodata.errors import UsageError
    from tsodata.importers import FORMATS, ImportOptions, find_format, import_files
    from tsodata.sizes import parse_size

    from .report import import_lines

    if formats:
        print(*(f"{name}\n    {found.adds}" for name, found in FORMATS.items()), sep="\n")
        return
    if format_name is None:
        raise UsageError("name a format, or pass --formats")
    if not paths and find_format(format_name):
        raise UsageError(f"name the files to import: tso-data import {format_name} PATH…")
    try:
        size_b = parse_size(size)
    except ValueError as error:
        raise UsageError(f"--{error}") from None
    options = ImportOptions(
        models, family, version, size_b, dataset, named_values(mapping, "--map FIELD=COLUMN"), human, judge, by
    )
    opened = open_store(store, wait, create=True)
    asked = {name: str(value) for name, value in asdict(options).items() if value}
    with recorded(opened, {"format": format_name, "paths": [str(path) for path in paths], **asked}) as run:
        reports = import_files(opened, format_name, paths, run=run, options=options, progress=narrate)
    if as_json:
        print_json([{**plain(report), "rows": report.rows, "unplaced": sorted(report.unplaced)} for report in reports])
    else:
        say(import_lines(format_name, reports))
    if any(report.failed for report in reports):
        raise typer.Exit(ExitCode.REFUSED)
