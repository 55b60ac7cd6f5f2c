"""The reference pages that are made from the code: docs/queries.md."""

from __future__ import annotations

from tsodata import queries

_QUERIES_HEAD = """\
# Named queries

Each is one SELECT in `sql/queries/`, run on a connection that can read the store and nothing else:

    tso-data query pairs-by-source -p build=main
    tso-data query judges --json

`Store.query("pairs-by-source", build="main")` gives the same rows as a polars frame.
This page is made from the headers of the files; a test compares the two.
"""


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
