"""A recipe: how pairs are drawn, as plain data. Read from TOML or made in Python; hashed and stored with each build.

    n = 30000                      # pairs; leave out for all that the shares allow
    [pools.matrix]
    share = 0.5
    draw = "weighted"              # Eqs. 3-6
    chosen = { human = 0.5, newest-larger = 0.5 }
    rejected = "uniform"           # over the sources of Eq. 2
    [pools.self]
    share = 0.5
    draw = "max_min"               # best against worst by score
    candidates = ["base"]
    [filters]
    min_margin = 1.0
    [scores]
    judge = "gpt-4"

A weight's or candidate's name is a role (human, newest-larger, older, smaller, base, cells), whose sources share it
evenly, or one source's label (vicuna/v1.3/33).
"""

from __future__ import annotations

import math
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, get_type_hints

from tsodata.errors import RecipeError
from tsodata.provenance import canonical_json, content_key

Weights = Mapping[str, float] | Literal["uniform"]
POOLS = ("matrix", "self")
PAPER_CHOSEN: Mapping[str, float] = {"human": 0.5, "newest-larger": 0.5}  # Sec. 4.1.2
SEED = 43  # Sec. 4.1.4
T = TypeVar("T")


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise RecipeError(f"{name} = {value!r}: known are {', '.join(known)}")


def _check_weights(side: str, weights: Weights) -> None:
    if isinstance(weights, str):
        _one_of(side, weights, ("uniform",))
        return
    for name, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight < math.inf:
            raise RecipeError(f"{side}: weight {name} = {weight!r} is not a number from 0 on")
    if not sum(weights.values()) > 0:
        raise RecipeError(f"{side}: the weights add up to nothing")


@dataclass(frozen=True, slots=True)
class Pool:
    """One way to draw pairs, and the share of the build that it gives."""

    share: float = 1.0
    draw: str = "weighted"
    chosen: Weights = field(default_factory=lambda: dict(PAPER_CHOSEN))
    rejected: Weights = "uniform"  # Sec. 4.1.2
    candidates: tuple[str, ...] = ("base",)  # max_min: who competes
    ties: str = "draw"  # max_min: several best or worst answers: draw one, or skip the prompt

    def __post_init__(self) -> None:
        _one_of("draw", self.draw, ("weighted", "max_min"))
        _one_of("ties", self.ties, ("draw", "skip"))
        if not 0 < self.share <= 1:
            raise RecipeError(f"share = {self.share}: a share lies above 0 and up to 1")
        if self.draw == "max_min" and not self.candidates:
            raise RecipeError("candidates = []: somebody has to compete")
        _check_weights("chosen", self.chosen)
        _check_weights("rejected", self.rejected)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which prompts and which drawn pairs count. None and empty mean no limit."""

    min_margin: float | None = None
    min_chosen_score: float | None = None
    max_rejected_score: float | None = None
    max_length_ratio: float | None = None  # longer answer over shorter, in characters
    datasets: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    answered_by: tuple[str, ...] = ()  # roles or labels: each must have answered the prompt

    @property
    def needs_scores(self) -> bool:
        """Return whether a pair without scores on both sides is to be skipped."""
        return any(v is not None for v in (self.min_margin, self.min_chosen_score, self.max_rejected_score))


@dataclass(frozen=True, slots=True)
class ScoreChoice:
    """Which scores count. Left out, judge and rubric are the store's only ones, else they must be stated."""

    judge: str | None = None
    rubric: str | None = None
    dimensions: tuple[str, ...] = ()  # empty: the mean over all that are scored
    people_first: bool = True  # a correction stands in for the judge's score (Sec. 3.2)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Pools, filters, choice of scores, and how many pairs go where."""

    pools: Mapping[str, Pool]
    filters: Filters = field(default_factory=Filters)
    scores: ScoreChoice = field(default_factory=ScoreChoice)
    n: int | None = None
    pairs_per_prompt: int = 1
    minibatches: int = 3  # Sec. 4.1.4
    held_out: float = 0.0
    seed: int = SEED

    def __post_init__(self) -> None:
        for name in self.pools:
            _one_of("pool", name, POOLS)
        if not self.pools or not math.isclose(sum(pool.share for pool in self.pools.values()), 1, abs_tol=1e-9):
            raise RecipeError(f"the shares of the pools ({', '.join(self.pools) or 'none'}) do not add up to 1")
        for name, low in (("n", 1), ("pairs_per_prompt", 1), ("minibatches", 1), ("seed", 0)):
            value = getattr(self, name)
            if value is not None and value < low:
                raise RecipeError(f"{name} = {value}: at least {low}")
        if not 0 <= self.held_out < 1:
            raise RecipeError(f"held_out = {self.held_out}: a share from 0 to below 1")

    def body(self) -> str:
        """Return the recipe as JSON, without its seed: what is hashed and stored."""
        content = asdict(self)
        del content["seed"]
        return canonical_json(content)

    @property
    def key(self) -> int:
        """Return the content key of the recipe."""
        return content_key("recipe", self.body())

    def with_options(self, **options: object) -> Recipe:
        """Return the recipe with those options replaced that are not None."""
        return replace(self, **{name: value for name, value in options.items() if value is not None})  # type: ignore[arg-type]

    def with_filters(self, **filters: tuple[str, ...]) -> Recipe:
        """Return the recipe with those filters replaced that are not empty."""
        return replace(self, filters=replace(self.filters, **{name: value for name, value in filters.items() if value}))  # type: ignore[arg-type]


BUILT_IN: Mapping[str, Recipe] = {
    # Sec. 4.1.2: half of the pairs from the matrix, half from the base model's own scored answers.
    "tso": Recipe(pools={"matrix": Pool(share=0.5), "self": Pool(share=0.5, draw="max_min")}),
    # Eqs. 3-6 alone.
    "weighted": Recipe(pools={"matrix": Pool()}),
    # Best against worst of everybody who is scored, as UltraFeedback's users do.
    "max_min": Recipe(pools={"matrix": Pool(draw="max_min", candidates=("human", "cells"))}),
}


def load_recipe(name: str) -> Recipe:
    """Return a built-in recipe by name, or the recipe of a TOML file.

    Raises:
        RecipeError: there is none of that name, or the file does not hold one.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]
    path = Path(name)
    if path.suffix != ".toml":
        raise RecipeError(f"no recipe {name!r}; built in are {', '.join(BUILT_IN)}, or name a .toml file")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecipeError(f"{path}: no such file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: not valid TOML: {error}") from error
    try:
        return parse_recipe(table)
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from error


def parse_recipe(table: Mapping[str, Any]) -> Recipe:
    """Return the recipe of a parsed TOML table; unknown names and wrong types are refused."""
    pools = table.get("pools")
    if not isinstance(pools, dict) or not all(isinstance(pool, dict) for pool in pools.values()):
        raise RecipeError("a recipe needs at least one table [pools.matrix] or [pools.self]")
    values: dict[str, Any] = {key: value for key, value in table.items() if key not in ("pools", "filters", "scores")}
    values["pools"] = {name: _record(Pool, pool, f"pools.{name}") for name, pool in pools.items()}
    values["filters"] = _record(Filters, table.get("filters", {}), "filters")
    values["scores"] = _record(ScoreChoice, table.get("scores", {}), "scores")
    return _record(Recipe, values, "the recipe")


def _record(kind: type[T], table: Mapping[str, Any], where: str) -> T:
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    hints = get_type_hints(kind)
    for name, value in table.items():
        if name not in known:
            raise RecipeError(f"{where}: no setting {name!r}; known are {', '.join(sorted(known))}")
        if not _fits(value, hints[name]):
            raise RecipeError(f"{where}: {name} = {value!r} is not of the right type")
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in table.items()})


def _fits(value: object, hint: Any) -> bool:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return any(_fits(value, argument) for argument in arguments)
    if origin is Literal:
        return value in arguments
    if origin is tuple:
        return isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)
    if origin is not None:
        return isinstance(value, Mapping)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)
