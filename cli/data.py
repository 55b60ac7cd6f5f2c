"""`tso-data`: the store's commands, and where each of them lives."""

from __future__ import annotations

from typing import Annotated

import typer

from . import asking, checking, comparing, exporting, importing, pairing, stats

app = typer.Typer(
    name="tso-data",
    help="The preference store: prompts, matrix answers, human answers, scores, and the pairs drawn from them.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("init")(importing.init)
app.command("import")(importing.import_)
app.command("matrix")(pairing.matrix)
app.command("build-pairs")(pairing.build)
app.command("builds")(pairing.builds)
app.command("diff")(comparing.diff)
app.command("rebuild")(comparing.rebuild)
app.command("explain")(pairing.explain)
app.command("stats")(stats.stats)
app.command("export")(exporting.export)
app.command("export-answers")(exporting.answers)
app.command("check")(checking.check)
app.command("recover")(checking.recover)
app.command("sql")(asking.sql)
app.command("query")(asking.query)


def main() -> None:
    """Run the app; the entry point of the installed command."""
    app()


@app.callback(invoke_without_command=True)
def _version(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version and stop.", is_eager=True)] = False
) -> None:
    if version:
        from tsodata import __version__

        print(f"tso {__version__}")
        raise typer.Exit
