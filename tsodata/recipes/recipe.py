"""A recipe as plain data: checked, hashed, stored with each build, and read back.

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

A weight's or candidate's name is a role (human, newest-larger, older, smaller, base, cells, everybody), whose sources
share it evenly, or one source's label (vicuna/v1.3/33). docs/recipes.md tells what each draw does and whose it is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, TypeVar

from tsodata.errors import RecipeError
from tsodata.provenance import canonical_json, content_key
from tsodata.recipes.parts import LATER, Filters, Pool, ScoreChoice, Strata, VerdictChoice, one_of
from tsodata.strict_toml import read_record

POOLS = ("matrix", "self", "preferences")
MAX_POOLS = 2  # a prompt that serves several is shared out between two
SEED = 43  # Sec. 4.1.4
T = TypeVar("T")
_PARTS = {"filters": Filters, "scores": ScoreChoice, "verdicts": VerdictChoice, "strata": Strata}


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
    verdicts: VerdictChoice = field(default=VerdictChoice(), metadata=LATER)

    def __post_init__(self) -> None:
        for name in self.pools:
            one_of("pool", name, POOLS)
        if not self.pools or not math.isclose(sum(pool.share for pool in self.pools.values()), 1, abs_tol=1e-9):
            raise RecipeError(f"the shares of the pools ({', '.join(self.pools) or 'none'}) do not add up to 1")
        if len(self.pools) > MAX_POOLS:
            raise RecipeError(f"{len(self.pools)} pools ({', '.join(sorted(self.pools))}): at most {MAX_POOLS}")
        if self.verdicts != VerdictChoice() and not any(pool.by_verdict for pool in self.pools.values()):
            raise RecipeError("[verdicts] belongs to a pool with draw = preferred, and there is none")
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
        return cls.parse({**json.loads(body), "seed": seed})

    @classmethod
    def parse(cls, table: Mapping[str, Any]) -> Recipe:
        """Return the recipe of a parsed TOML table; unknown names and wrong types are refused.

        Raises:
            RecipeError: it cannot be meant.
        """
        pools = table.get("pools")
        if not isinstance(pools, Mapping) or not all(isinstance(pool, Mapping) for pool in pools.values()):
            raise RecipeError("a recipe needs at least one table such as [pools.matrix]")
        values = {**table, "pools": {name: _part(Pool, pool, f"pools.{name}") for name, pool in pools.items()}}
        for name, kind in _PARTS.items():
            if name in table:
                values[name] = _part(kind, table[name], name)
        return _part(cls, values, "the recipe")

    @property
    def key(self) -> int:
        """Return the content key of the recipe."""
        return content_key("recipe", self.body())

    def check_stated(self) -> None:
        """Raise RecipeError where something that has to be stated at the time was not."""
        for name, pool in sorted(self.pools.items()):
            for side in ("chosen", "rejected"):
                if pool.by_weight and getattr(pool, side) == "stated":
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
        weighted = {name: pool for name, pool in self.pools.items() if pool.by_weight}
        if weights and not weighted:
            raise RecipeError(f"no pool draws by weight, so {' and '.join(weights)} cannot be stated")
        changed = {name: replace(pool, **weights) for name, pool in weighted.items()}  # type: ignore[arg-type]
        return replace(self, pools={**self.pools, **changed})

    def with_min_score(self, min_score: float | None) -> Recipe:
        """Return the recipe with the least score of its answers replaced, where it is not None."""
        if min_score is None:
            return self
        return replace(self, pools={name: replace(pool, min_score=min_score) for name, pool in self.pools.items()})


def _part(kind: type[T], table: Any, where: str) -> T:
    return read_record(kind, table, where, refuse=RecipeError)


def _content(record: Any) -> dict[str, Any]:
    """Return a record as plain data, without later settings that stand at their default."""
    told = [f for f in fields(record) if f.metadata != LATER or getattr(record, f.name) != f.default]
    return {f.name: _plain(getattr(record, f.name)) for f in told}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return _content(value)
    return {key: _plain(item) for key, item in value.items()} if isinstance(value, Mapping) else value
