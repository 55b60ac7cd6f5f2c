"""A recipe: how pairs, answers to tune on, or ranked lists are drawn, as plain data.

Read from TOML or made in Python; hashed and stored with each build.

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
    [strata]
    by = "dataset"                 # as many pairs of each data set as of any other

A weight's or candidate's name is a role (human, newest-larger, older, smaller, base, cells), whose sources share it
evenly, or one source's label (vicuna/v1.3/33). docs/recipes.md tells what each draw does and where it comes from.
"""

from __future__ import annotations

import json
import math
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, get_type_hints

from tsodata.errors import RecipeError
from tsodata.provenance import canonical_json, content_key

Weights = Mapping[str, float] | Literal["uniform", "stated"]
POOLS = ("matrix", "self")
PAIR_DRAWS = ("weighted", "max_min", "max_random", "max_second", "rso")
ANSWER_DRAWS = ("best_of_n", "threshold")
LIST_DRAWS = ("ranked",)
STRATA = ("tag", "dataset", "quadrant")
QUADRANTS = ("left-flat", "left-peaked", "right-flat", "right-peaked")  # App. A.1: sign of G1, then of G2
NO_STRATUM = "(none)"
PAPER_CHOSEN: Mapping[str, float] = {"human": 0.5, "newest-larger": 0.5}  # Sec. 4.1.2
SEED = 43  # Sec. 4.1.4
BETA = 0.5  # ours, in units of the score: one point below the best is accepted 14 times in 100
LATER = {"told": "where it is not the default"}  # added to bodies that were hashed without it, so their keys stay
T = TypeVar("T")


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise RecipeError(f"{name} = {value!r}: known are {', '.join(known)}")


def _check_weights(side: str, weights: Weights) -> None:
    if isinstance(weights, str):
        _one_of(side, weights, ("uniform", "stated"))
        return
    for name, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight < math.inf:
            raise RecipeError(f"{side}: weight {name} = {weight!r} is not a number from 0 on")
    if not sum(weights.values()) > 0:
        raise RecipeError(f"{side}: the weights add up to nothing")


@dataclass(frozen=True, slots=True)
class Pool:
    """One way to draw, and the share of the build that it gives."""

    share: float = 1.0
    draw: str = "weighted"
    chosen: Weights = field(default_factory=lambda: dict(PAPER_CHOSEN))
    rejected: Weights = "uniform"  # Sec. 4.1.2; "stated": to be told at the time, as single_negative's is
    candidates: tuple[str, ...] = ("base",)  # all draws but weighted: who competes
    ties: str = "draw"  # several answers of one score where one is needed: draw it, or skip the prompt
    beta: float = field(default=BETA, metadata=LATER)  # rso: the temperature
    keep: int = field(default=1, metadata=LATER)  # best_of_n: how many of a prompt's best answers
    min_score: float | None = field(default=None, metadata=LATER)  # threshold, best_of_n: the least score that counts

    def __post_init__(self) -> None:
        _one_of("draw", self.draw, (*PAIR_DRAWS, *ANSWER_DRAWS, *LIST_DRAWS))
        _one_of("ties", self.ties, ("draw", "skip"))
        if not 0 < self.share <= 1:
            raise RecipeError(f"share = {self.share}: a share lies above 0 and up to 1")
        if self.by_score and not self.candidates:
            raise RecipeError("candidates = []: somebody has to compete")
        if not 0 < self.beta < math.inf:
            raise RecipeError(f"beta = {self.beta}: a temperature lies above 0")
        if self.keep < 1:
            raise RecipeError(f"keep = {self.keep}: at least 1")
        for name, default, draws in (
            ("beta", BETA, ("rso",)),
            ("keep", 1, ("best_of_n",)),
            ("min_score", None, ANSWER_DRAWS),
        ):
            if getattr(self, name) != default and self.draw not in draws:
                raise RecipeError(f"{name} belongs to draw = {' or '.join(draws)}, not to {self.draw}")
        _check_weights("chosen", self.chosen)
        _check_weights("rejected", self.rejected)

    @property
    def by_score(self) -> bool:
        """Return whether the scores decide, not weights."""
        return self.draw != "weighted"

    @property
    def makes(self) -> str:
        """Return what the draw makes: pairs, answers (to tune on) or lists (ranked)."""
        if self.draw in PAIR_DRAWS:
            return "pairs"
        return "answers" if self.draw in ANSWER_DRAWS else "lists"


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

    @property
    def of_pairs(self) -> tuple[str, ...]:
        """Return the names of the limits that are set and that only a pair can meet."""
        limits = ("min_margin", "min_chosen_score", "max_rejected_score", "max_length_ratio")
        return tuple(name for name in limits if getattr(self, name) is not None)


@dataclass(frozen=True, slots=True)
class ScoreChoice:
    """Which scores count. Left out, judge and rubric are the store's only ones, else they must be stated."""

    judge: str | None = None
    rubric: str | None = None
    dimensions: tuple[str, ...] = ()  # empty: the mean over all that are scored
    people_first: bool = True  # a correction stands in for the judge's score (Sec. 3.2)


@dataclass(frozen=True, slots=True)
class Strata:
    """Groups of prompts, each of which gives a share of the build. A prompt stands in one of them.

    tag, dataset  the first by name of the prompt's that has a share, or of all where the shares are equal
    quadrant      signs of skewness G1 and excess kurtosis G2 of the prompt's scores (App. A.1); 0 counts as plus
    A prompt without a tag, or with too few or only equal scores, stands in the stratum "(none)".
    """

    by: str
    shares: Mapping[str, float] | Literal["equal"] = "equal"

    def __post_init__(self) -> None:
        _one_of("strata by", self.by, STRATA)
        if isinstance(self.shares, str):
            _one_of("strata shares", self.shares, ("equal",))
            return
        _check_weights("strata shares", self.shares)
        if not math.isclose(sum(self.shares.values()), 1, abs_tol=1e-9) or not all(self.shares.values()):
            raise RecipeError("strata shares: each lies above 0, and together they are 1")
        for name in self.shares if self.by == "quadrant" else ():
            _one_of("quadrant", name, (*QUADRANTS, NO_STRATUM))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the strata that have a share of their own; none where all share equally."""
        return () if isinstance(self.shares, str) else tuple(sorted(self.shares))


@dataclass(frozen=True, slots=True)
class Recipe:
    """Pools, filters, choice of scores, and how many pairs (prompts, where it makes none) go where."""

    pools: Mapping[str, Pool]
    filters: Filters = field(default_factory=Filters)
    scores: ScoreChoice = field(default_factory=ScoreChoice)
    n: int | None = None
    pairs_per_prompt: int = 1
    minibatches: int = 3  # Sec. 4.1.4
    held_out: float = 0.0
    seed: int = SEED
    strata: Strata | None = field(default=None, metadata=LATER)

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
        if len(self.pools) > 1 and not all(pool.makes == "pairs" for pool in self.pools.values()):
            told = ", ".join(f"{name} makes {pool.makes}" for name, pool in sorted(self.pools.items()))
            raise RecipeError(f"only pools of pairs go together; here {told}")
        if self.makes != "pairs" and (self.filters.of_pairs or self.pairs_per_prompt > 1):
            names = ", ".join(self.filters.of_pairs) or "pairs_per_prompt"
            raise RecipeError(f"{names} limits pairs, and this recipe makes {self.makes}; min_score limits answers")

    @property
    def makes(self) -> str:
        """Return what the recipe makes: pairs, answers (to tune on) or lists (ranked)."""
        return next(iter(self.pools.values())).makes

    @property
    def needs_scores(self) -> bool:
        """Return whether nothing can be drawn without scores."""
        by_shape = self.strata is not None and self.strata.by == "quadrant"
        return by_shape or self.filters.needs_scores or any(pool.by_score for pool in self.pools.values())

    def body(self) -> str:
        """Return the recipe as JSON, without its seed: what is hashed and stored."""
        content = _content(self)
        del content["seed"]
        return canonical_json(content)

    @classmethod
    def from_body(cls, body: str, *, seed: int) -> Recipe:
        """Return the recipe of a stored body, with its seed."""
        return parse_recipe({**json.loads(body), "seed": seed})

    @property
    def key(self) -> int:
        """Return the content key of the recipe."""
        return content_key("recipe", self.body())

    def check_stated(self) -> None:
        """Raise RecipeError where something that has to be stated at the time was not."""
        for name, pool in sorted(self.pools.items()):
            for side in ("chosen", "rejected"):
                if not pool.by_score and getattr(pool, side) == "stated":
                    raise RecipeError(f"pool {name} leaves its {side} source open: state it with --{side} SOURCE")
            if pool.draw == "threshold" and pool.min_score is None:
                raise RecipeError(f"pool {name} leaves its threshold open: state it with --min-score")

    def with_options(self, **options: object) -> Recipe:
        """Return the recipe with those options replaced that are not None."""
        return replace(self, **{name: value for name, value in options.items() if value is not None})  # type: ignore[arg-type]

    def with_filters(self, **filters: tuple[str, ...]) -> Recipe:
        """Return the recipe with those filters replaced that are not empty."""
        return replace(self, filters=replace(self.filters, **{name: value for name, value in filters.items() if value}))  # type: ignore[arg-type]

    def with_sides(self, **sides: tuple[str, ...]) -> Recipe:
        """Return the recipe with `chosen` or `rejected` of its weighted pools drawn evenly from these, where any.

        Raises:
            RecipeError: no pool draws by weight.
        """
        weights = {side: dict.fromkeys(names, 1.0) for side, names in sides.items() if names}
        weighted = {name: pool for name, pool in self.pools.items() if not pool.by_score}
        if weights and not weighted:
            raise RecipeError(f"no pool draws by weight, so {' and '.join(weights)} cannot be stated")
        changed = {name: replace(pool, **weights) for name, pool in weighted.items()}  # type: ignore[arg-type]
        return replace(self, pools={**self.pools, **changed})

    def with_min_score(self, min_score: float | None) -> Recipe:
        """Return the recipe with the least score of its answers replaced, where it is not None."""
        if min_score is None:
            return self
        return replace(self, pools={name: replace(pool, min_score=min_score) for name, pool in self.pools.items()})


_EVERYBODY = ("human", "cells")
BUILT_IN: Mapping[str, Recipe] = {
    # Sec. 4.1.2: half of the pairs from the matrix, half from the base model's own scored answers.
    "tso": Recipe(pools={"matrix": Pool(share=0.5), "self": Pool(share=0.5, draw="max_min")}),
    # Eqs. 3-6 alone.
    "weighted": Recipe(pools={"matrix": Pool()}),
    # Best against worst of everybody who is scored, as UltraFeedback's users do.
    "max_min": Recipe(pools={"matrix": Pool(draw="max_min", candidates=_EVERYBODY)}),
    # Best against any other: Zephyr (Tunstall et al. 2023, Sec. 3).
    "max_random": Recipe(pools={"matrix": Pool(draw="max_random", candidates=_EVERYBODY)}),
    # Best against the next best: the smallest margins.
    "max_second": Recipe(pools={"matrix": Pool(draw="max_second", candidates=_EVERYBODY)}),
    # People against the sources of Eq. 2 alone: Table 4's human row.
    "human_vs_weak": Recipe(pools={"matrix": Pool(chosen={"human": 1.0})}),
    # One cell as the only rejected source: Tables 3 and 4.
    "single_negative": Recipe(pools={"matrix": Pool(rejected="stated")}),
    # Statistical rejection sampling of the base's answers: Liu et al. (2023).
    "rso": Recipe(pools={"self": Pool(draw="rso")}),
    # The base's best answer, for supervised tuning: RAFT (Dong et al. 2023).
    "best_of_n": Recipe(pools={"self": Pool(draw="best_of_n")}),
    # The base's answers from a score on, for supervised tuning: ReST (Gulcehre et al. 2023).
    "threshold": Recipe(pools={"self": Pool(draw="threshold")}),
    # A prompt's scored answers, best first: RRHF (Yuan et al. 2023), PRO (Song et al. 2023).
    "ranked": Recipe(pools={"matrix": Pool(draw="ranked", candidates=_EVERYBODY)}),
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
    values: dict[str, Any] = {
        key: value for key, value in table.items() if key not in ("pools", "filters", "scores", "strata")
    }
    values["pools"] = {name: _record(Pool, pool, f"pools.{name}") for name, pool in pools.items()}
    values["filters"] = _record(Filters, table.get("filters", {}), "filters")
    values["scores"] = _record(ScoreChoice, table.get("scores", {}), "scores")
    if "strata" in table:
        values["strata"] = _record(Strata, table["strata"], "strata")
    return _record(Recipe, values, "the recipe")


def _record(kind: type[T], table: Any, where: str) -> T:
    if not isinstance(table, Mapping):
        raise RecipeError(f"{where} = {table!r} is not a table")
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    hints = get_type_hints(kind)
    for name, value in table.items():
        if name not in known:
            raise RecipeError(f"{where}: no setting {name!r}; known are {', '.join(sorted(known))}")
        if not _fits(value, hints[name]):
            raise RecipeError(f"{where}: {name} = {value!r} is not of the right type")
    missing = [name for name, f in known.items() if _is_needed(f) and name not in table]
    if missing:
        raise RecipeError(f"{where} needs {', '.join(missing)}")
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in table.items()})


def _is_needed(of: Field[Any]) -> bool:
    return of.default is MISSING and of.default_factory is MISSING


def _content(record: Any) -> dict[str, Any]:
    """Return a record as plain data, without later settings that stand at their default."""
    told = [f for f in fields(record) if f.metadata != LATER or getattr(record, f.name) != f.default]
    return {f.name: _plain(getattr(record, f.name)) for f in told}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return _content(value)
    return {key: _plain(item) for key, item in value.items()} if isinstance(value, Mapping) else value


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
