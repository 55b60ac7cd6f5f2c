"""The reference pages that are made from the code: docs/checks.md, docs/cli.md, docs/formats.md, docs/queries.md.

python -m tsocli.reference docs
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import typer

from tsodata import exporters, importers, queries
from tsodata.checks import Check, every_check
from tsodata.reading import Limits

from . import data, train

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
| 4 | training has diverged |
| 75 | try again later |
| 130 | interrupted |

`--csv` gives every cell as it is. A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@` (or with a tab or a
carriage return before one) as a formula, and answers come from strangers: `--csv-safe` puts an apostrophe before such
texts. It changes data, so it is off unless asked for: read it in a spreadsheet, never back into a program. What goes to
the terminal as a table or a story shows controls, and marks that turn the reading direction, as `�`.

This page is made from the apps, `tso-data` first, then `tso-train`; a test compares the two.
"""
_FORMATS_HEAD = """\
# Formats

## In

`tso-data import FORMAT PATH…` reads JSON lines, JSON arrays, CSV, TSV, Parquet, Arrow and the first sheet of `.xlsx`
(with the extra `tso[xlsx]`), plain or as `.gz` or `.zst`.
The docstring of each module in `tsodata/importers/` says which fields it reads.

| format | adds |
|---|---|
"""
_FILES = """
### Files

A path is a file, a folder (every file of a known kind beneath), a quoted pattern such as `'data/**/*.jsonl'`, or a
folder that `datasets` wrote with `save_to_disk`. Files come in the order in which they are named; within a folder or
pattern sorted by path, and within a folder of `datasets` as it states. Each counts once. Hidden files and unknown kinds
are passed over and told; a path that stands for no file is an error, before anything is stored.

- JSON: a key that stands twice in an object fails its row. NaN, infinities and `1e999` fail where a field is read.
- CSV: each row has the fields of the header; a quote that is never closed ends the file.
- Sheets: whole numbers are whole (12.0 is 12), dates are ISO 8601 texts, empty cells null; rows without any value are
  no rows. A formula counts by its saved result where that is a number or a date; elsewhere nobody knows whether its
  text or its result was meant, and a row fails whose format reads it. An error such as `#N/A` that was typed fails its
  row.
- A NUL in a text is kept, and leaves as it came. Half a surrogate pair fails its row. Names of models, judges, data
  sets, rubrics and tags have at most 300 characters.

Limits, as fields of `tsodata.reading.Limits`. Beyond those of a row, the row fails with its reason; beyond those of a
file, the import stops with one line that says what was stored before.

| limit | default |
|---|---|
"""
_EXPORTS_HEAD = """
## Out

`tso-data export BUILD --to FORMAT --out FOLDER` writes the rows of a build, `manifest.json` with the hash of every
file, a data card (`README.md`) and a Croissant description (`croissant.json`). The docstring of each module in
`tsodata/exporters/` says which fields it writes, and where its reader's own documentation or source says so. Blank
edges of answers are stripped. What nobody can train on is refused and counted by reason: an empty answer, two equal
sides, a prompt that holds the answering model's own earlier turns. In = written + refused, in the manifest and in the
card. With `--tokenizer`, rows are refused too whose prompt's tokens do not begin those of prompt and answer, that
`--max-length` cuts, or whose two sides are the same tokens (`tsodata/exporters/template.py`).

| format | takes | for |
|---|---|---|
"""
_ANSWERS_HEAD = """
## Out, for benchmarks

`tso-data export-answers SOURCE --to BENCHMARK --out FILE` writes the stored answers of a source as the benchmark's
answer file, texts untouched, so that reading the file into a fresh store gives the same response ids. Answers that the
file cannot hold (empty, a turn missing, a further sample) are counted by reason.

| benchmark | questions | for |
|---|---|---|
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
    return "\n".join([_CLI_HEAD, *_command_sections(data.app, "tso-data"), *_command_sections(train.app, "tso-train")])


def _command_sections(app: typer.Typer, program: str) -> list[str]:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    sections = []
    for name, command in group.commands.items():
        context = command.make_context(f"{program} {name}", [], resilient_parsing=True, terminal_width=WIDTH)
        title = name if program == "tso-data" else f"{program} {name}"
        sections.append(f"## {title}\n\n```text\n{command.get_help(context).strip()}\n```\n")
    return sections


def formats_reference() -> str:
    """Return docs/formats.md: the formats of `tso-data import` and `tso-data export`."""
    read = (f"| `{name}` | {found.adds} |\n" for name, found in importers.FORMATS.items())
    limits = (f"| `{name}` | {value:,} |\n" for name, value in asdict(Limits()).items())
    written = (f"| `{name}` | {_takes(found)} | {found.says} |\n" for name, found in exporters.FORMATS.items())
    sheets = (f"| `{name}` | {found.dataset} | {found.says} |\n" for name, found in exporters.ANSWER_FILES.items())
    return "".join([_FORMATS_HEAD, *read, _FILES, *limits, _EXPORTS_HEAD, *written, _ANSWERS_HEAD, *sheets])


def _takes(found: exporters.Format) -> str:
    return " or ".join(sorted({material.holds for material in found.takes}, reverse=True))


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
