"""Builds and their minibatches by name, for whoever keeps to the prompts of one."""

from __future__ import annotations

from tsodata.errors import UnknownNameError, UsageError
from tsodata.store import Reader


def find_minibatch(reader: Reader, build: str, minibatch: int) -> int:
    """Return the key of a build that has such a minibatch.

    Raises:
        UnknownNameError: there is no build of that name.
        UsageError: it has no such minibatch.
    """
    rows = reader.rows("builds/by_name", name=build)
    if not rows:
        raise no_such_build(reader, build)
    key = int(rows[0][0])
    numbers = [int(row[0]) for row in reader.rows("builds/minibatches", build_key=key)]
    if minibatch not in numbers:
        raise UsageError(f"build {build!r} has the minibatches 1 to {max(numbers)}, not {minibatch}")
    return key


def no_such_build(reader: Reader, name: str) -> UnknownNameError:
    """Return the error that tells which builds there are instead."""
    names = ", ".join(str(row[0]) for row in reader.rows("builds/names")) or "none yet"
    return UnknownNameError(f"no build {name!r}; the store has: {names}")
