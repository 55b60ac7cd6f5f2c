"""What commands do around their work: look for torch, open the store, record the run, print JSON."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsodata.errors import UsageError

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


def plain(value: Any) -> Any:
    """Return a record with all that it holds as plain data, by the names of its fields."""
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (tuple, list)) else value


def print_json(value: object) -> None:
    """Print a value as JSON; what JSON does not know becomes text."""
    from tsodata.provenance import storable

    print(storable(json.dumps(value, ensure_ascii=False, indent=2, default=str)))  # paths may hold lone surrogates


def require_torch() -> None:
    """Refuse to train where the libraries for it are missing.

    Raises:
        UsageError: one of them is.
    """
    if any(importlib.util.find_spec(name) is None for name in ("torch", "transformers", "safetensors")):
        raise UsageError("training needs torch, transformers and safetensors; pip install 'tso[train]'")


def silent(_: str) -> None:
    """Say nothing: another process speaks."""
