"""Writing a build for a trainer: `export`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from .exits import guarded
from .opening import open_store, print_json, recorded
from .options import AsJson, StorePath, Wait


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
    """Write a build for a trainer, with a manifest. TSO_MEMORY=1GB bounds the memory."""
    from tsodata.exporters import export_build

    from .report import export_lines

    opened = open_store(store, wait)
    with recorded(opened, {"build": name, "to": to, "out": out, "minibatch": minibatch}) as run:
        report = export_build(opened, name, to=to, out=out, run=run, minibatch=minibatch, overwrite=overwrite)
    if as_json:
        print_json(asdict(report))
    else:
        print(*export_lines(report), sep="\n")
