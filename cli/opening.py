"""What every command does around its work: open the store, record the run, print JSON."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from tsodata.provenance import Run
    from tsodata.store import Store


def open_store(path: Path | None, wait: float | None, *, create: bool = False) -> Store:
    """Return the store that the options name."""
    from tsodata.store import Store

    return Store.open(path, create=create, wait_s=wait)


@contextlib.contextmanager
def recorded(store: Store, arguments: dict[str, object], *, seed: int | None = None) -> Iterator[Run]:
    """Record this command as a run with these arguments, and how it ended."""
    from tsodata.provenance import Run

    plain = {name: str(value) if isinstance(value, Path) else value for name, value in arguments.items()}
    with store.run(Run.of_process(plain, seed=seed)) as run:
        yield run


def plain(record: DataclassInstance) -> dict[str, object]:
    """Return the fields of a report; `asdict` would break its counters."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def print_json(value: object) -> None:
    """Print a value as JSON; what JSON does not know becomes text."""
    from tsodata.provenance import storable

    print(storable(json.dumps(value, ensure_ascii=False, indent=2, default=str)))  # paths may hold lone surrogates
