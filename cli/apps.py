"""How both apps are made: plain help, no completion, and `--version`."""

from __future__ import annotations

from typing import Annotated

import typer


def make_app(name: str, help_: str) -> typer.Typer:
    """Return an app without commands yet."""
    app = typer.Typer(
        name=name,
        help=help_,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback(invoke_without_command=True)(_version)
    return app


def _version(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version and stop.", is_eager=True)] = False
) -> None:
    if version:
        from tsodata import __version__

        print(f"tso {__version__}")
        raise typer.Exit
