"""The build to export, as the store has it: its header, and how much of it can be written."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from tsodata.errors import ExportRefusedError, UnknownNameError, UsageError
from tsodata.exporters.formats import FORMATS

if TYPE_CHECKING:
    from tsodata.exporters.formats import Format
    from tsodata.exporters.materials import Material
    from tsodata.store import Reader


@dataclass(frozen=True, slots=True)
class BuildToExport:
    """A build, or one minibatch of it, as the material of a format.

    `writable` counts pairs (or answers, where the material holds those) by the store's split, `refused` by reason.
    """

    key: int
    name: str
    build_id: str
    base: str
    seed: int
    snapshot_id: str
    recipe: object
    resolved: object
    minibatch: int | None
    material: Material
    writable: dict[str, int]
    refused: Counter[str]

    @property
    def n_units(self) -> int:
        """Return how many pairs or answers there are, writable or refused."""
        return sum(self.writable.values()) + self.refused.total()


def find_build_to_export(reader: Reader, name: str, *, to: Format, minibatch: int | None) -> BuildToExport:
    """Return the build of a name, judged and counted as the format takes it.

    Raises:
        UnknownNameError: no build has the name.
        UsageError: the build has no such minibatch, or does not hold what the format takes.
        ExportRefusedError: it has nothing to train on that can be written.
    """
    found = reader.rows("exports/build", name=name)
    if not found:
        names = ", ".join(str(row[0]) for row in reader.rows("exports/build_names"))
        raise UnknownNameError(f"no build {name!r}; the store has: {names or 'none, make one with tso-data build'}")
    key, build_id, base, seed, snapshot_id, recipe, resolved = found[0]
    key = cast("int", key)
    if minibatch is not None:
        _check_minibatch(reader, key, name=name, minibatch=minibatch)
    material = _material(kind_of_build(reader, key, str(recipe)), name=name, to=to)
    material.judge(reader, key, minibatch)
    writable, refused = _count(reader)
    build = BuildToExport(
        key=key,
        name=name,
        build_id=str(build_id),
        base=str(base),
        seed=cast("int", seed),
        snapshot_id=str(snapshot_id),
        recipe=json.loads(str(recipe)),
        resolved=json.loads(str(resolved)),
        minibatch=minibatch,
        material=material,
        writable=writable,
        refused=refused,
    )
    check_something_to_train_on(build, writable.get("train", 0), refused)
    return build


def check_something_to_train_on(build: BuildToExport, n_train: int, refused: Counter[str]) -> None:
    """Refuse an export without training rows, saying why none of them can be written.

    Raises:
        ExportRefusedError: `n_train` is 0.
    """
    if n_train:
        return
    holds = build.material.holds
    why = ", ".join(f"{reason} {n}" for reason, n in sorted(refused.items())) or f"it has no {holds}"
    raise ExportRefusedError(
        f"build {build.name!r} has no training {holds.removesuffix('s')} that can be written ({why})"
    )


def _check_minibatch(reader: Reader, key: int, *, name: str, minibatch: int) -> None:
    known = [row[0] for row in reader.rows("exports/minibatches", build=key)]
    if minibatch not in known:
        some = f"it has {known[0]} to {known[-1]}" if known else "it has none"
        raise UsageError(f"build {name!r} has no minibatch {minibatch}; {some}")


def kind_of_build(reader: Reader, key: int, recipe: str) -> str:
    """Return what a build holds, by its key and its recipe's body: pairs, answers, or ranked lists."""
    n_pairs, n_answers = reader.rows("exports/holds", build=key)[0]
    if n_pairs or not n_answers:
        return "pairs"
    return "ranked lists" if _is_ranked(json.loads(recipe)) else "answers"


def _material(holds: str, *, name: str, to: Format) -> Material:
    for material in to.takes:
        if material.suits(holds):
            return material
    fitting = [each.name for each in FORMATS.values() if any(material.suits(holds) for material in each.takes)]
    wanted = " or ".join(sorted({material.holds for material in to.takes}))
    why = "worst answers and all" if holds == "ranked lists" else f"and {to.name} takes {wanted}"
    raise UsageError(f"build {name!r} holds {holds}, {why}; write it as {' or '.join(fitting)}")


def _is_ranked(recipe: Any) -> bool:
    pools = recipe.get("pools")
    return isinstance(pools, dict) and any(pool.get("draw") == "ranked" for pool in pools.values())


def _count(reader: Reader) -> tuple[dict[str, int], Counter[str]]:
    writable: dict[str, int] = {}
    refused: Counter[str] = Counter()
    for split, reason, n_rows in reader.rows("exports/counts"):
        if reason is None:
            writable[str(split)] = cast("int", n_rows)
        else:
            refused[str(reason)] += cast("int", n_rows)
    return writable, refused
