"""The plan of a build: a recipe with every name resolved against a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tsodata.coverage import load_matrix
from tsodata.draws import SourceWeights, source_weights
from tsodata.errors import EmptyPoolError, RecipeError
from tsodata.matrix import ModelMatrix
from tsodata.provenance import canonical_json, content_key
from tsodata.recipes import Recipe, ScoreChoice
from tsodata.records import Source
from tsodata.store import Reader, Snapshot

SIDES = ("chosen", "rejected")


@dataclass(frozen=True, slots=True)
class Plan:
    """A recipe with every name resolved against a store: what is hashed into the build's key."""

    matrix: ModelMatrix
    recipe: Recipe
    seed: int
    scores: ScoreChoice
    weights: Mapping[tuple[str, str], SourceWeights]
    competitors: Mapping[str, tuple[Source, ...]]

    def resolved(self) -> str:
        """Return the plan as JSON."""
        weights = {
            f"{pool}.{side}": {source.label: round(weight, 12) for source, weight in found.weights.items()}
            for (pool, side), found in self.weights.items()
        }
        return canonical_json(
            {
                "base": self.matrix.base.label,
                "versions": self.matrix.order.versions,
                "weights": weights,
                "candidates": {pool: [s.label for s in sources] for pool, sources in self.competitors.items()},
                "scores": {"judge": self.scores.judge, "rubric": self.scores.rubric},
            }
        )

    def build_key(self, snapshot: Snapshot) -> int:
        """Return the key of the build: the same wherever the same material is drawn from in the same way."""
        return content_key("build", snapshot.key, self.recipe.body(), self.resolved(), self.seed)


def make_plan(reader: Reader, base: str, recipe: Recipe, snapshot: Snapshot, versions: Sequence[str] | None) -> Plan:
    """Return the plan of a recipe around a base model.

    Raises:
        UnknownNameError: the base or a name of the recipe stands for nobody.
        EmptyPoolError: a side of a pool has no source at all.
        RecipeError: it is not clear whose scores count.
    """
    matrix = load_matrix(reader, base, versions)
    weights, competitors = {}, {}
    for name, pool in sorted(recipe.pools.items()):
        if pool.draw == "weighted":
            weights[name, "chosen"] = source_weights(pool.chosen, matrix, side="chosen")
            weights[name, "rejected"] = source_weights(pool.rejected, matrix, side="rejected")
        else:
            found = {source for candidate in pool.candidates for source in matrix.find(candidate)}
            competitors[name] = tuple(sorted(found, key=lambda source: source.label))
    sources = {source for found in weights.values() for source in found.weights}
    sources.update(source for found in competitors.values() for source in found)
    scores = _choose_scores(reader, recipe, sorted(s.source_key for s in sources), snapshot)
    return Plan(matrix, recipe, recipe.seed, scores, weights, competitors)


def _choose_scores(reader: Reader, recipe: Recipe, sources: list[int], snapshot: Snapshot) -> ScoreChoice:
    asked = recipe.scores
    found = [
        (str(judge), str(rubric))
        for judge, rubric, _ in reader.rows("pairs/score_choices", snapshot_seq=snapshot.commit_seq, sources=sources)
        if asked.judge in (None, judge) and asked.rubric in (None, rubric)
    ]
    if len(found) == 1:
        return ScoreChoice(*found[0], asked.dimensions, asked.people_first)
    stated = asked.judge or asked.rubric
    needed = recipe.filters.needs_scores or any(pool.draw == "max_min" for pool in recipe.pools.values())
    if found and (needed or stated):
        several = "; ".join(f"{judge} by {rubric}" for judge, rubric in found[:6])
        raise RecipeError(f"these answers have scores of {several}: state judge and rubric under [scores]")
    if stated:
        raise RecipeError(
            f"no scores of judge {asked.judge or 'any'} by rubric {asked.rubric or 'any'} on these answers"
        )
    return ScoreChoice(None, None, asked.dimensions, asked.people_first)


def without_source(plan: Plan, *, allow_short: bool) -> list[str]:
    """Return a line for each weight that has no source; raise it unless `allow_short`."""
    told = []
    for (pool, side), found in plan.weights.items():
        if found.without_source:
            names = ", ".join(found.without_source)
            line = f"pool {pool}: no source for {side} {names}, so its weight goes to the others"
            if not allow_short:
                raise EmptyPoolError(f"{line}; pass --allow-short to draw all the same, or change the weights")
            told.append(line)
    return told
