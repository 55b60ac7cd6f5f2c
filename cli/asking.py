"""Questions to the store: `sql` and `query`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from .exits import guarded
from .opening import open_store
from .options import AsCsv, AsCsvSafe, AsJson, Limit, Memory, ParquetFile, StorePath, Timeout, Wait, named_values

if TYPE_CHECKING:
    from tsodata.store import Store


class Ways(TypedDict):
    """How the rows leave: as a table, where none of these is asked for."""

    as_json: bool
    as_csv: bool
    as_csv_safe: bool
    parquet: Path | None


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
    as_csv_safe: AsCsvSafe = False,
) -> None:
    """Ask the store in SQL, read-only. The views for people begin with v_ (docs/views.md)."""
    text = _statement() if statement == "-" else statement
    limits, opened = (memory, timeout), open_store(store, wait)
    ways = Ways(as_json=as_json, as_csv=as_csv, as_csv_safe=as_csv_safe, parquet=parquet)
    _ask(opened, text, None, limits=limits, ways=ways, limit=limit)


def _statement() -> str:
    from tsodata.errors import UsageError

    try:
        text = sys.stdin.read()
        text.encode()  # where the locale is C, broken bytes get this far
    except UnicodeError:
        raise UsageError("the statement on stdin is not UTF-8; convert it first") from None
    return text


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
    as_csv_safe: AsCsvSafe = False,
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
    bound = asked.bind(named_values(parameter, "-p NAME=VALUE"))
    limits, opened = (memory, timeout), open_store(store, wait)
    ways = Ways(as_json=as_json, as_csv=as_csv, as_csv_safe=as_csv_safe, parquet=parquet)
    _ask(opened, asked.sql, bound, limits=limits, ways=ways, limit=limit)


def _ask(
    store: Store,
    text: str,
    bound: dict[str, object] | None,
    *,
    limits: tuple[str, float],
    ways: Ways,
    limit: int,
) -> None:
    import pyarrow as pa  # noqa: F401  its libraries would find no room once the query has filled it

    from tsodata.store import run_statement

    from .limits import capped_memory
    from .output import fetch, to_frame, write_frame

    memory, timeout_s = limits
    at_most = None if any(ways.values()) else limit + 1
    with capped_memory(memory), store.locked_down(memory=memory, timeout_s=timeout_s) as connection:
        rows = fetch(run_statement(connection, text, bound), at_most=at_most)
    write_frame(to_frame(rows), **ways, limit=limit)
