"""Writing files for others: a build for a trainer (`export`)."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from .exits import guarded
from .opening import open_store, print_json, recorded
from .options import AsJson, StorePath, Tokenizer, Wait


@guarded
def export(
    name: Annotated[str | None, typer.Argument(help="The build's name.")] = None,
    to: Annotated[str | None, typer.Option(help="The format; --formats lists them.")] = None,
    out: Annotated[Path | None, typer.Option(help="The folder to write; whole, or not at all.")] = None,
    minibatch: Annotated[int | None, typer.Option(help="One minibatch only.")] = None,
    tokenizer: Tokenizer = None,
    max_length: Annotated[int | None, typer.Option(min=1, help="With --tokenizer: the tokens a row may have.")] = None,
    count_only: Annotated[
        bool, typer.Option("--count-only", help="With --tokenizer: count what it finds, and write it.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier export.")] = False,
    formats: Annotated[bool, typer.Option("--formats", help="List the formats, and who reads each.")] = False,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write a build for a trainer, with a manifest, a data card and a Croissant description.

    With --tokenizer, rows are refused whose prompt's tokens do not begin those of prompt and answer, that --max-length
    cuts, or whose two sides the tokens do not tell apart.
    """
    from tsodata.errors import UsageError
    from tsodata.exporters import FORMATS, export_build, find_format
    from tsodata.exporters.template import TemplateGate

    from .report import export_lines

    if formats:
        print(*(f"{known}\n    {found.says}" for known, found in FORMATS.items()), sep="\n")
        return
    if name is None or to is None or out is None:
        raise UsageError("name a build, --to FORMAT and --out FOLDER, or pass --formats")
    find_format(to)
    if tokenizer is None and (max_length is not None or count_only):
        raise UsageError("--max-length and --count-only need --tokenizer")
    opened = open_store(store, wait)
    gate = TemplateGate.load(tokenizer, max_length=max_length, refuses=not count_only) if tokenizer else None
    asked = {"build": name, "to": to, "out": out, "minibatch": minibatch, "template_gate": gate and gate.settings}
    with recorded(opened, asked) as run:
        report = export_build(
            opened, name, to=to, out=out, run=run, minibatch=minibatch, gate=gate, overwrite=overwrite
        )
    if as_json:
        print_json(asdict(report))
    else:
        print(*export_lines(report), sep="\n")
