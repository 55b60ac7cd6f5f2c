"""Writing files for others: a build for a trainer (`export`), answers for a benchmark (`export-answers`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .exits import guarded
from .legible import say
from .opening import open_store, plain, print_json, recorded
from .options import AsJson, StorePath, Tokenizer, Wait, quieten_transformers


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
    cuts, or whose two sides the tokens do not tell apart. TSO_MEMORY=1GB bounds the memory.
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
    quieten_transformers()
    opened = open_store(store, wait)
    gate = TemplateGate.load(tokenizer, max_length=max_length, refuses=not count_only) if tokenizer else None
    asked = {"build": name, "to": to, "out": out, "minibatch": minibatch, "template_gate": gate and gate.settings}
    with recorded(opened, asked) as run:
        report = export_build(
            opened, name, to=to, out=out, run=run, minibatch=minibatch, gate=gate, overwrite=overwrite
        )
    if as_json:
        print_json(plain(report))
    else:
        say(export_lines(report))


@guarded
def answers(
    source: Annotated[str | None, typer.Argument(help="Who answered, as the store labels it: vicuna/v1.5/13.")] = None,
    to: Annotated[str | None, typer.Option(help="The benchmark; --formats lists them.")] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write; whole, or not at all.")] = None,
    dataset: Annotated[str | None, typer.Option(help="The questions' data set, or a tag of theirs.")] = None,
    model: Annotated[str | None, typer.Option(help="The source's name in the file.")] = None,
    questions: Annotated[Path | None, typer.Option(help="The benchmark's own question file, for alignbench.")] = None,
    tokenizer: Tokenizer = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that differs.")] = False,
    formats: Annotated[bool, typer.Option("--formats", help="List the benchmarks.")] = False,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write a source's stored answers as the file that a benchmark reads.

    --tokenizer counts the tokens that Arena-Hard's style control needs; without it they are as imported, or null.
    """
    from tsodata.errors import UsageError
    from tsodata.exporters import ANSWER_FILES, export_answers

    from .report import answers_lines

    if formats:
        print(*(f"{known}\n    {found.says}" for known, found in ANSWER_FILES.items()), sep="\n")
        return
    if source is None or to is None or out is None:
        raise UsageError("name a source, --to BENCHMARK and --out FILE, or pass --formats")
    quieten_transformers()
    opened = open_store(store, wait)
    options = {"dataset": dataset, "model": model, "questions": questions, "tokenizer": tokenizer}
    with recorded(opened, {"source": source, "to": to, "out": out, **options}):
        report = export_answers(opened, source, to=to, out=out, overwrite=overwrite, **options)  # type: ignore[arg-type]
    if as_json:
        print_json(plain(report))
    else:
        say(answers_lines(report))
