"""The build to export, as the store has it: its header, and how many of its pairs can be written."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from tsodata.errors import ExportRefusedError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from tsodata.store import Reader


@dataclass(frozen=True, slots=True)
class BuildToExport:
    """A build, or one minibatch of it. `writable` counts pairs by the store's split, `refused` by reason."""

    key: int
    name: str
    build_id: str
    base: str
    seed: int
    snapshot_id: str
    recipe: object
    resolved: object
    minibatch: int | None
    writable: dict[str, int]
    refused: Counter[str]


def find_build_to_export(reader: Reader, name: str, *, minibatch: int | None) -> BuildToExport:
    """Return the build of a name, with its pairs counted.

    Raises:
        UnknownNameError: no build has the name.
        UsageError: the build has no such minibatch.
        ExportRefusedError: it has no training pair that can be written.
    """
    found = reader.rows("exports/build", name=name)
    if not found:
        names = ", ".join(str(row[0]) for row in reader.rows("exports/build_names"))
        raise UnknownNameError(f"no build {name!r}; the store has: {names or 'none, make one with tso-data build'}")
    key, build_id, base, seed, snapshot_id, recipe, resolved = found[0]
    key = cast("int", key)
    if minibatch is not None:
        _check_minibatch(reader, key, name=name, minibatch=minibatch)
    writable, refused = _count_pairs(reader, key, minibatch)
    if not writable.get("train"):
        why = ", ".join(f"{reason} {n}" for reason, n in sorted(refused.items()))
        raise ExportRefusedError(
            f"build {name!r} has no training pair that can be written ({why or 'it has no pairs'})"
        )
    return BuildToExport(
        key=key,
        name=name,
        build_id=str(build_id),
        base=str(base),
        seed=cast("int", seed),
        snapshot_id=str(snapshot_id),
        recipe=json.loads(str(recipe)),
        resolved=json.loads(str(resolved)),
        minibatch=minibatch,
        writable=writable,
        refused=refused,
    )


def _check_minibatch(reader: Reader, key: int, *, name: str, minibatch: int) -> None:
    known = [row[0] for row in reader.rows("exports/minibatches", build=key)]
    if minibatch not in known:
        some = f"it has {known[0]} to {known[-1]}" if known else "it has none"
        raise UsageError(f"build {name!r} has no minibatch {minibatch}; {some}")


def _count_pairs(reader: Reader, key: int, minibatch: int | None) -> tuple[dict[str, int], Counter[str]]:
    writable: dict[str, int] = {}
    refused: Counter[str] = Counter()
    for split, reason, n_pairs in reader.rows("exports/counts", build=key, minibatch=minibatch):
        if reason is None:
            writable[str(split)] = cast("int", n_pairs)
        else:
            refused[str(reason)] += cast("int", n_pairs)
    return writable, refused
