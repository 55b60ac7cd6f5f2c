"""Recipes: how pairs, answers to tune on, or ranked lists are drawn, as plain data."""

from tsodata.recipes.built_in import BUILT_IN, load_recipe
from tsodata.recipes.parts import (
    NO_STRATUM,
    PAPER_CHOSEN,
    Filters,
    Pool,
    ScoreChoice,
    Strata,
    VerdictChoice,
    Weights,
)
from tsodata.recipes.recipe import SEED, Recipe

__all__ = [
    "BUILT_IN",
    "NO_STRATUM",
    "PAPER_CHOSEN",
    "SEED",
    "Filters",
    "Pool",
    "Recipe",
    "ScoreChoice",
    "Strata",
    "VerdictChoice",
    "Weights",
    "load_recipe",
]
