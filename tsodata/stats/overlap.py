"""Texts of named evaluation files, to look for in the store.

Which fields hold the text is told, or found by the names that such files use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tsodata import reading
from tsodata.errors import ImportRefusedError, UsageError

FIELDS = ("instruction", "prompt", "question", "turns", "input", "text", "problem", "query")


def read_texts(path: Path, fields: Sequence[str] = ()) -> list[str]:
    """Return the texts of an evaluation file: those of the fields named, else of the first known one of each row.

    Raises:
        ImportRefusedError: the file cannot be read, or a row of it.
        UsageError: a row has none of the fields.
    """
    texts = []
    for row in reading.iter_rows(path):
        if row.value is None:
            raise ImportRefusedError(f"{path}:{row.line}: {row.problem}")
        names = [name for name in (fields or FIELDS) if row.value.get(name)]
        if not names:
            raise UsageError(f"{path}:{row.line}: {_no_text(fields, row.value)}")
        for name in names if fields else names[:1]:
            texts += [text for text in _texts(row.value[name]) if text.strip()]
    return texts


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts(value.get("content"))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _no_text(fields: Sequence[str], row: Mapping[str, Any]) -> str:
    wanted = ", ".join(fields) if fields else f"one of {', '.join(FIELDS)}"
    return f"no text in {wanted}; found {', '.join(row) or 'nothing'}. Pass --against-field NAME"
