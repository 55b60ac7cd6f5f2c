"""Writes what a run found into docs/miniature.md, between its marks, and the figures beside it.

The figures of all seeds are kept in one file, from which the page can be made again without a run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from miniature import figures, tables
from miniature.claims import verdicts
from miniature.summary import Results

PAGE = Path("docs/miniature.md")
KEPT = "results.json"
_DROPPED = frozenset({"policy", "shares"})
_KEPT_CURVES = frozenset({"dpo", "separate", "joint", "linear"})


def write(results: Results, page: Path, *, maps: Path | None) -> None:
    """Fill a page's marks, draw its figures, and keep the results beside them."""
    folder = page.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    keep(results, folder / KEPT)
    results = kept(folder / KEPT)  # the page says what these say, to their last digit
    figures.draw(results, folder, maps=maps)
    text = page.read_text(encoding="utf-8")
    for name, part in PARTS.items():
        found = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not found.search(text):
            raise ValueError(f"{page} has no mark {name}")
        body = "\n".join(part(results))
        text = found.sub(lambda match, body=body: f"{match[1]}{body}\n{match[2]}", text)  # type: ignore[misc]
    page.write_text(text, encoding="utf-8")


def keep(results: Results, path: Path) -> None:
    """Write the results to one file."""
    kept = {"models": dict(results.models), "seeds": [_trimmed(dict(seed)) for seed in results.seeds]}
    path.write_text(json.dumps(kept, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")


def kept(path: Path) -> Results:
    """Return the results of a file."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return Results(tuple(found["seeds"]), found["models"])


def _trimmed(value: Any, name: str = "") -> Any:
    """Return figures without paths, without the curves that no figure shows, and with four digits."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, list):
        return [_trimmed(item) for item in value]
    if not isinstance(value, dict):
        return value
    shows_curves = name in _KEPT_CURVES or name.startswith("thirds")
    return {
        key: _trimmed(item, key)
        for key, item in value.items()
        if key not in _DROPPED and (key != "curves" or shows_curves)
    }


def _seconds(results: Results) -> Iterator[str]:
    """Yield how long the run took."""
    models = sum(unit["seconds"]["processor"] for unit in results.models.values()) / 60
    seeds = [sum(unit["seconds"]["processor"] for unit in seed.values()) / 60 for seed in results.seeds]
    told = ", ".join(f"{minutes:.1f}" for minutes in seeds)
    yield f"{len(seeds)} seeds. Minutes of one processor: {models:.1f} for the nine models, {told} for the seeds,"
    yield f"{models + sum(seeds):.0f} in all."


PARTS: Mapping[str, Callable[[Results], Iterator[str]]] = MappingProxyType(
    {
        "time": _seconds,
        "claims": verdicts,
        "matrix": tables.matrix,
        "table 2": tables.table_2,
        "table 3": tables.table_3,
        "table 4": tables.table_4,
        "table 5": tables.table_5,
        "table 5 pairs": tables.table_5_pairs,
        "table 6": tables.table_6,
        "table 6 hot": tables.table_6_hot,
        "table 7": tables.table_7,
        "figure 4": tables.figure_4,
        "table 10": tables.table_10,
        "unread": tables.unread,
        "outcomes": tables.outcomes,
        "examples": tables.examples,
        "shape": tables.shape,
    }
)
