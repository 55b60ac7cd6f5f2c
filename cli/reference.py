"""The reference pages that are made from the code: docs/checks.md, docs/cli.md, docs/formats.md, docs/queries.md.

python -m tsocli.reference docs
"""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from tsodata import queries
from tsodata.checks import Check, every_check
from tsodata.importers import FORMATS

from .data import app

WIDTH = 100
_CLI_HEAD = """\
# Commands

What each command's `--help` says. Data goes to stdout, narration and progress to stderr. Exit codes:

| code | meaning |
|---|---|
| 0 | done |
| 1 | data was refused, all or some of it |
| 2 | a name, option, recipe or query that cannot be meant |
| 3 | the store is busy, missing, too new or foreign |
| 75 | try again later |
| 130 | interrupted |

This page is made from the app; a test compares the two.
"""
_FORMATS_HEAD = """\
# Formats

`tso-data import FORMAT PATH…` reads JSON lines, JSON arrays, CSV, TSV and Parquet, plain or as `.gz` or `.zst`.
The docstring of each module in `tsodata/importers/` says which fields it reads.

| format | adds |
|---|---|
"""
_QUERIES_HEAD = """\
# Named queries

Each is one SELECT in `sql/queries/`, run on a connection that can read the store and nothing else:

    tso-data query pairs-by-source -p build=main
    tso-data query judges --json

`Store.query("pairs-by-source", build="main")` gives the same rows as a polars frame.
This page is made from the headers of the files; a test compares the two.
"""
_CHECKS_HEAD = """\
# Checks

`tso-data check` asks the store each of these, read-only, and prints the rows that should not be there:

    tso-data check                     exit code 0: clean, 1: a rule is broken
    tso-data check --since run1-…      only what this run and later ones added
    tso-data check --quick             without making a million keys again, which takes about 12 s
    tso-data check --json              every row, for programs

A *violation* means that the store, or what was made from it, must not be used as it is. A *notice* breaks no rule.
Most checks are one SELECT in `sql/checks/`; keys, files of exports and the schema are compared in `tsodata/checks/`.

A store that lacks rows which were reported as stored (its write-ahead log was cut, or an older copy was put in its
place) is not opened by any command: the file `STORE.acknowledged` beside it tells of the last stored commit.
`tso-data recover` goes on without what is lost; it keeps the log under another name and records the loss as a run.

This page is made from the headers of the files; a test compares the two.
"""


def checks_reference() -> str:
    """Return docs/checks.md: every check with its question, its fault and its level."""
    return "\n".join([_CHECKS_HEAD, *map(_check_section, every_check())])


def _check_section(check: Check) -> str:
    guards = f"Guards against: {check.fault}."
    return "\n".join([f"## {check.name}", "", check.question, "", guards, "", f"A {check.level}; {check.rows}.", ""])


def queries_reference() -> str:
    """Return docs/queries.md: every named query with its question, parameters and rows."""
    return "\n".join([_QUERIES_HEAD, *(_section(queries.named(name)) for name in queries.names())])


def _section(query: queries.Query) -> str:
    lines = [f"## {query.name}", "", query.question, ""]
    if query.parameters:
        lines += ["| parameter | type | default | meaning |", "|---|---|---|---|"]
        lines += [_row(parameter) for parameter in query.parameters]
        lines.append("")
    return "\n".join([*lines, f"Rows: {query.rows}.", ""])


def _row(parameter: queries.Parameter) -> str:
    default = {None: "(needed)", "null": ""}.get(parameter.default, parameter.default)
    return f"| `{parameter.name}` | {parameter.type} | {default} | {parameter.meaning} |"


def cli_reference() -> str:
    """Return docs/cli.md: the help of every command."""
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    sections = []
    for name, command in group.commands.items():
        context = command.make_context(f"tso-data {name}", [], resilient_parsing=True, terminal_width=WIDTH)
        sections.append(f"## {name}\n\n```text\n{command.get_help(context).strip()}\n```\n")
    return "\n".join([_CLI_HEAD, *sections])


def formats_reference() -> str:
    """Return docs/formats.md: the formats of `tso-data import`."""
    return _FORMATS_HEAD + "".join(f"| `{name}` | {found.adds} |\n" for name, found in FORMATS.items())


PAGES = {
    "checks.md": checks_reference,
    "cli.md": cli_reference,
    "formats.md": formats_reference,
    "queries.md": queries_reference,
}


def write_pages(folder: Path) -> None:
    """Write the pages anew."""
    for name, page in PAGES.items():
        (folder / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
