"""The recipes that go by a name, and those of files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tsodata.errors import RecipeError
from tsodata.recipes.parts import Pool
from tsodata.recipes.recipe import Recipe
from tsodata.strict_toml import read_table

_FAMILY = ("human", "cells")
BUILT_IN: Mapping[str, Recipe] = {
    # Sec. 4.1.2: half of the pairs from the matrix, half from the base model's own scored answers.
    "tso": Recipe(pools={"matrix": Pool(share=0.5), "self": Pool(share=0.5, draw="max_min")}),
    # Eqs. 3-6 alone.
    "weighted": Recipe(pools={"matrix": Pool()}),
    # Best against worst of everybody who is scored, as UltraFeedback's users do.
    "max_min": Recipe(pools={"matrix": Pool(draw="max_min", candidates=_FAMILY)}),
    # Best against any other: Zephyr (Tunstall et al. 2023, Sec. 3).
    "max_random": Recipe(pools={"matrix": Pool(draw="max_random", candidates=_FAMILY)}),
    # Best against the next best: the smallest margins.
    "max_second": Recipe(pools={"matrix": Pool(draw="max_second", candidates=_FAMILY)}),
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
    "ranked": Recipe(pools={"matrix": Pool(draw="ranked", candidates=_FAMILY)}),
    # The pairs that people or judges have compared, as data sets of pairs hold them: HH-RLHF (Bai et al. 2022).
    "preferred": Recipe(pools={"preferences": Pool(draw="preferred", candidates=("everybody",))}),
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
    table = read_table(path, refuse=RecipeError)
    try:
        return Recipe.parse(table)
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from error
