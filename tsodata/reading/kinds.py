"""The kinds of files that are read, told by their suffixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PACKED = (".gz", ".zst")
JSON = (".json", ".jsonl", ".ndjson")
DELIMITERS = {".csv": ",", ".tsv": "\t"}
PARQUET = ".parquet"
ARROW = ".arrow"
SHEET = ".xlsx"
KINDS = (*JSON, *DELIMITERS, PARQUET, ARROW, SHEET)


def is_packed(path: Path) -> bool:
    """Return whether a file is compressed."""
    return path.suffix.lower() in PACKED


def kind_of(path: Path) -> str:
    """Return a file's suffix without that of its compression, in lower case: known if it is one of KINDS."""
    return _unpacked_name(path).suffix.lower()


def bare_stem(path: Path) -> str:
    """Return a file's name without its compression and format suffixes."""
    plain = _unpacked_name(path)
    return plain.stem if plain.suffix.lower() in KINDS else plain.name


def _unpacked_name(path: Path) -> Path:
    return path.with_name(path.stem) if is_packed(path) else path
