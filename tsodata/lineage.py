"""Why a pair is what it is: from its row of keys down to the judges' raw words.

Everything is read from the store; the draw of a weighted pair is run again for its prompt, and shown.
"""

from __future__ import annotations

import json
from typing import Any

from tsodata.errors import UnknownNameError
from tsodata.provenance import format_id, parse_id, stream_seed
from tsodata.store import Reader, Store

SIDES = ("chosen", "rejected")


def explain_pair(store: Store, pair_id: str, *, build: str | None = None) -> dict[str, Any]:
    """Return all that the store knows of a pair, as plain data.

    Keys: `pair_id`, `prompt`, `chosen` and `rejected` (each with its source, run, file, settings, `scores`,
    `preferences` and `corrections`), and `builds`, one for each build that holds the pair, with `why`.

    Raises:
        UsageError: the text is no pair id.
        UnknownNameError: no build, or not the one named, holds the pair.
    """
    key = parse_id("pair", pair_id)
    with store.reader() as reader:
        rows = _dicts(reader, "lineage/pair", pair_key=key)
        if build is not None:
            rows = [row for row in rows if row["build"] == build]
        if not rows:
            where = f"build {build!r}" if build else "any build of the store"
            raise UnknownNameError(f"no pair {pair_id} in {where}")
        first = rows[0]
        return {
            "pair_id": format_id("pair", key),
            "prompt": _dicts(reader, "lineage/prompt", prompt_key=first["prompt_key"])[0],
            "chosen": _side(reader, first["chosen_key"]),
            "rejected": _side(reader, first["rejected_key"]),
            "builds": [_in_build(reader, row) for row in rows],
        }


def _dicts(reader: Reader, path: str, **parameters: object) -> list[dict[str, Any]]:
    return reader.frame(path, **parameters).to_dicts()


def _side(reader: Reader, response_key: int) -> dict[str, Any]:
    return {
        **_dicts(reader, "lineage/response", response_key=response_key)[0],
        "scores": _dicts(reader, "lineage/scores", response_key=response_key),
        "preferences": _dicts(reader, "lineage/preferences", response_key=response_key),
        "corrections": _dicts(reader, "lineage/corrections", response_key=response_key),
    }


def _in_build(reader: Reader, row: dict[str, Any]) -> dict[str, Any]:
    resolved, recipe = json.loads(row.pop("resolved")), json.loads(row.pop("recipe"))
    facts = {name: value for name, value in row.items() if not name.endswith(("_key", "_seq"))}
    pool = recipe["pools"][row["pool"]]
    if pool["draw"] == "max_min":
        why = _why_by_score(row, resolved)
        return {**facts, "why": why, "draw": {}}
    races = {side: _race(reader, row, resolved, side) for side in SIDES}
    return {**facts, "why": _why_by_weight(row, races), "draw": races}


def _why_by_score(row: dict[str, Any], resolved: dict[str, Any]) -> str:
    scores, candidates = resolved["scores"], ", ".join(resolved["candidates"][row["pool"]])
    ends = f"the best-scored answer ({row['chosen_score']:g}) against the worst-scored ({row['rejected_score']:g})"
    place = "" if row["round"] == 1 else f"number {row['round']} from each end, "
    return f"{ends}, {place}by {scores['judge']} with rubric {scores['rubric']}, of the candidates {candidates}"


def _race(reader: Reader, row: dict[str, Any], resolved: dict[str, Any], side: str) -> list[dict[str, Any]]:
    weights = resolved["weights"][f"{row['pool']}.{side}"]
    return _dicts(
        reader,
        "lineage/race",
        prompt_key=row["prompt_key"],
        snapshot_seq=row["snapshot_seq"],
        labels=list(weights),
        weights=list(weights.values()),
        seed=stream_seed(row["seed"], row["pool"], side, row["round"]),
    )


def _why_by_weight(row: dict[str, Any], races: dict[str, list[dict[str, Any]]]) -> str:
    parts = []
    for side in SIDES:
        winner, n_others = races[side][0], len(races[side]) - 1
        total = sum(runner["weight"] for runner in races[side])
        chance = winner["weight"] / total
        parts.append(f"{side} {winner['source']} came first of {n_others + 1} (chance {chance:.0%})")
    return f"a weighted draw with seed {row['seed']}: {'; '.join(parts)}"
