"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from tsodata.errors import UsageError

StorePath = Annotated[
    Path | None,
    typer.Option("--store", envvar="TSO_STORE", help="The store's file.", show_default="tso.duckdb"),
]
Wait = Annotated[
    float | None,
    typer.Option("--wait", help="Seconds to wait for a store that another process holds.", show_default="60"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
AsCsvSafe = Annotated[
    bool,
    typer.Option("--csv-safe", help="Print CSV for spreadsheets: an apostrophe before what they would run."),
]
ParquetFile = Annotated[Path | None, typer.Option("--parquet", help="Write the rows to this Parquet file.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Rows to show in a table; JSON, CSV and Parquet have all.")]
Memory = Annotated[str, typer.Option("--memory", help="Memory that the query may use.")]
Timeout = Annotated[float, typer.Option("--timeout", min=0.001, help="Seconds that the query may take.")]
Base = Annotated[str, typer.Option("--base", help="The model being aligned, as FAMILY/VERSION/SIZE.")]
MaybeBase = Annotated[
    str | None,
    typer.Option(
        "--base", help="The model being aligned, as FAMILY/VERSION/SIZE.", show_default="none; most recipes need one"
    ),
]
AllowShort = Annotated[bool, typer.Option("--allow-short", help="Build even where a pool lacks material.")]
Versions = Annotated[
    str | None,
    typer.Option("--versions", help="The family's versions as OLDEST,…,NEWEST, where names do not sort."),
]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", "-s", help="NAME=VALUE over the settings, such as epochs=1.")
]
Tokenizer = Annotated[
    str | None, typer.Option("--tokenizer", help="A tokenizer's folder, or its name in the local cache.")
]


def quieten_transformers() -> None:
    """Keep transformers from telling, on loading a tokenizer, that there is no PyTorch: none is needed."""
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")


def listed(text: str | None) -> list[str]:
    """Return the parts of a comma-separated option."""
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def named_values(texts: list[str] | None, what: str) -> dict[str, str]:
    """Return the names and values of options such as `-p NAME=VALUE`.

    Raises:
        UsageError: one of them is not `what`.
    """
    found = {}
    for text in texts or []:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise UsageError(f"{text!r} is not {what}")
        found[name] = value
    return found
