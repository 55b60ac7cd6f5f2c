"""What every command does around its work: open the store, record the run, print JSON."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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


def print_json(value: object) -> None:
    """Print a value as JSON; a dataclass is an object of its fields, and what JSON does not know becomes text."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2, default=_plain)
    print()


def fields_of(value: Any) -> dict[str, Any]:
    """Return the fields of a dataclass as they are; `asdict` would count the pairs of a Counter."""
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _plain(value: object) -> object:
    return fields_of(value) if dataclasses.is_dataclass(value) else str(value)
