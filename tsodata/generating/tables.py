"""The two TOML files that people write: prices of models, and a matrix of cells with the models that fill them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsodata.engines.choosing import usual_engine
from tsodata.engines.options import EngineOptions
from tsodata.engines.protocol import Sampling
from tsodata.errors import UsageError
from tsodata.generating.asking import Ask, parse_cell
from tsodata.runner import Prices
from tsodata.strict_toml import read_table

_SAMPLING = {"temperature": float, "top_p": float, "max_tokens": int}
_DRAWING = {"samples": int, "seed": int, "dataset": str, "build": str, "minibatch": int}
_REACHING = {"endpoint": str, "key_env": str, "concurrency": int, "timeout": float, "revision": str}
_KNOWN = {"cell": str, "model": str, "engine": str, "settings": dict, **_SAMPLING, **_DRAWING, **_REACHING}
_WORDS = {str: "a text", int: "a whole number", float: "a number", dict: "a table"}
_FIELD_OF = {"samples": "n_samples", "timeout": "timeout_s"}


@dataclass(frozen=True, slots=True)
class PriceTable:
    """US dollars per million tokens, by the model's name."""

    path: Path
    prices: Mapping[str, Prices]

    @classmethod
    def read(cls, path: Path) -> PriceTable:
        """Read a table of `[models."NAME"]` with `prompt` and `completion`.

        Raises:
            UsageError: it is not such a table.
        """
        models = read_table(path, refuse=UsageError).get("models")
        if not isinstance(models, dict):
            raise UsageError(f'{path}: no [models]; a model\'s price is [models."NAME"] with prompt and completion')
        prices = {}
        for name, row in models.items():
            values = [row.get("prompt"), row.get("completion")] if isinstance(row, dict) else [None, None]
            if not all(isinstance(value, (int, float)) and value >= 0 for value in values):
                raise UsageError(
                    f"{path}: model {name!r} needs prompt and completion, in US dollars per million tokens"
                )
            prices[name] = Prices(float(values[0]), float(values[1]))  # type: ignore[arg-type]
        return cls(path, prices)

    def of(self, model: str) -> Prices:
        """Return a model's prices.

        Raises:
            UsageError: the table has none.
        """
        if model not in self.prices:
            raise UsageError(f"{self.path} has no price for {model!r}; it has {', '.join(self.prices) or 'none'}")
        return self.prices[model]


def read_matrix(path: Path, defaults: Mapping[str, object]) -> list[Ask]:
    """Read `[[cells]]`, each with `cell` and `model`; what one leaves out is taken from `defaults`.

    Raises:
        UsageError: a setting is not known, or of another type.
    """
    cells = read_table(path, refuse=UsageError).get("cells")
    if not isinstance(cells, list) or not cells or not all(isinstance(row, dict) for row in cells):
        raise UsageError(f"{path}: no [[cells]]; each names a cell and a model")
    asks = [make_ask({**defaults, **row}, where=f"{path}: cell {number}") for number, row in enumerate(cells, 1)]
    labels = [ask.source.label for ask in asks]
    for label in labels:
        if labels.count(label) > 1:
            raise UsageError(f"{path}: {label} stands there twice")
    return asks


def make_ask(row: Mapping[str, object], *, where: str) -> Ask:
    """Return what a row of settings asks for; `where` tells the row in errors.

    Raises:
        UsageError: a setting is missing, not known, or of another type.
    """
    for name, value in row.items():
        if name not in _KNOWN:
            raise UsageError(f"{where}: no setting {name!r}; known are {', '.join(_KNOWN)}")
        kind = _KNOWN[name]
        is_number = kind is float and isinstance(value, int)
        if isinstance(value, bool) or not (isinstance(value, kind) or is_number):
            raise UsageError(f"{where}: {name} = {value!r} is not {_WORDS[kind]}")
    for name in ("cell", "model"):
        if not row.get(name):
            raise UsageError(f"{where}: no {name}")
    values: dict[str, Any] = dict(row)
    own = {name: str(value) for name, value in values.get("settings", {}).items()}
    return Ask(
        source=parse_cell(values["cell"]),
        model=values["model"],
        engine=values.get("engine") or usual_engine(values["model"], values.get("endpoint")),
        sampling=Sampling(**_picked(values, _SAMPLING)),
        options=EngineOptions(settings=own, **_picked(values, _REACHING)),
        **_picked(values, _DRAWING),
    )


def _picked(row: Mapping[str, Any], names: Mapping[str, type]) -> dict[str, Any]:
    """Return some settings of a row, under the names of their record's fields."""
    return {_FIELD_OF.get(name, name): kind(row[name]) for name, kind in names.items() if name in row}
