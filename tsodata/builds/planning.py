"""The plan of a build: a recipe with every name resolved, against a store or as an earlier build has stored it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tsodata.builds.minibatches import find_minibatch, no_such_build
from tsodata.builds.policies import GivenBy, find_policies
from tsodata.coverage import load_matrix, load_sources
from tsodata.draws import SourceWeights, source_weights
from tsodata.errors import EmptyPoolError, RecipeError, UsageError
from tsodata.matrix import Roster
from tsodata.provenance import canonical_json, content_key, format_id, parse_id, stream_seed
from tsodata.recipes import Recipe, ScoreChoice, VerdictChoice
from tsodata.records import Source
from tsodata.store import Reader, Snapshot

SIDES = ("chosen", "rejected")


@dataclass(frozen=True, slots=True)
class Plan:
    """A recipe with every name resolved: what is hashed into the build's key, and all that a draw needs to know.

    `base` is empty where the recipe needs none and none was named.
    """

    base: str
    versions: tuple[str, ...]
    recipe: Recipe
    scores: ScoreChoice
    weights: Mapping[tuple[str, str], SourceWeights]
    competitors: Mapping[str, tuple[Source, ...]]
    required: Mapping[str, tuple[Source, ...]]
    calibrations: tuple[str, ...] = ()  # ids of the maps that scores go through; the latest that the snapshot holds
    policies: Mapping[str, GivenBy] = field(default_factory=dict)  # by pool: whose answers of the base's count
    prompts_of: str = ""  # id of the build that the filters' minibatch is of

    def resolved(self) -> str:
        """Return the plan as JSON."""
        weights = {
            f"{pool}.{side}": {source.label: weight for source, weight in found.weights.items()}
            for (pool, side), found in self.weights.items()
        }
        plan = {
            "base": self.base,
            "versions": self.versions,
            "weights": weights,
            "candidates": _labels(self.competitors),
            "scores": {"judge": self.scores.judge, "rubric": self.scores.rubric},
        }
        later = {
            "answered_by": _labels(self.required),
            "calibrations": self.calibrations,
            "policies": {pool: given._asdict() for pool, given in self.policies.items()},
            "prompts_of": self.prompts_of,
        }
        return canonical_json({**plan, **{name: value for name, value in later.items() if value}})

    def build_key(self, snapshot_key: int) -> int:
        """Return the key of the build: the same wherever the same material is drawn from in the same way."""
        return content_key("build", snapshot_key, self.recipe.body(), self.resolved(), self.recipe.seed)

    def stream(self, *stream: object) -> int:
        """Return the seed of a named stream of the build's seed."""
        return stream_seed(self.recipe.seed, *stream)

    @property
    def prompts_key(self) -> int | None:
        """Return the key of the build whose minibatch the filters keep to; None where they keep to none."""
        return parse_id("build", self.prompts_of) if self.prompts_of else None

    def sources(self, pool: str) -> list[int]:
        """Return the keys of the sources that a pool draws from."""
        if pool in self.competitors:
            return [source.source_key for source in self.competitors[pool]]
        return sorted({source.source_key for side in SIDES for source in self.weights[pool, side].weights})


def _labels(sources: Mapping[str, Sequence[Source]]) -> dict[str, list[str]]:
    return {name: [source.label for source in found] for name, found in sources.items()}


def make_plan(
    reader: Reader, base: str | None, recipe: Recipe, snapshot: Snapshot, versions: Sequence[str] | None
) -> Plan:
    """Return the plan of a recipe, around a base model where one is named.

    Raises:
        UnknownNameError: the base or a name of the recipe stands for nobody, or a build or policy is not there.
        EmptyPoolError: a side of a pool has no source at all.
        RecipeError: it leaves something open, or it is not clear whose scores count.
        UsageError: it names roles around a base, and no base is named; or a minibatch that its build does not have.
    """
    recipe.check_stated()
    _check_verdicts(reader, recipe.verdicts, snapshot)
    if versions and not base:
        raise UsageError("--versions orders the family of a base model: name it with --base FAMILY/VERSION/SIZE")
    matrix = load_matrix(reader, base, versions) if base else None
    roster = Roster(tuple(load_sources(reader)), matrix)
    weights, competitors = {}, {}
    for name, pool in sorted(recipe.pools.items()):
        if pool.by_weight:
            weights[name, "chosen"] = _rounded(source_weights(pool.chosen, roster, side="chosen"))
            weights[name, "rejected"] = _rounded(source_weights(pool.rejected, roster, side="rejected"))
        else:
            found = {source for candidate in pool.candidates for source in roster.find(candidate)}
            competitors[name] = tuple(sorted(found, key=lambda source: source.label))
    sources = {source for found in weights.values() for source in found.weights}
    sources.update(source for found in competitors.values() for source in found)
    scores = _choose_scores(reader, recipe, sorted(s.source_key for s in sources), snapshot)
    base_label = matrix.base.label if matrix else ""
    plan = Plan(
        base=base_label,
        versions=matrix.order.versions if matrix else (),
        recipe=recipe,
        scores=scores,
        weights=weights,
        competitors=competitors,
        required={name: roster.find(name) for name in recipe.filters.answered_by},
        calibrations=_calibrations(reader, scores, snapshot) if scores.calibrated and scores.judge else (),
        policies=find_policies(reader, recipe, base_label, snapshot_seq=snapshot.commit_seq),
        prompts_of=_prompts_of(reader, recipe),
    )
    _check_policies(plan, matrix.base.source_key if matrix else None)
    return plan


def _check_policies(plan: Plan, base_key: int | None) -> None:
    for pool in plan.policies:
        if base_key not in plan.sources(pool):
            told = plan.recipe.pools[pool].policy
            raise RecipeError(
                f"pool {pool} draws none of {plan.base}'s answers, so policy = {told!r} says nothing there"
            )


def _prompts_of(reader: Reader, recipe: Recipe) -> str:
    filters = recipe.filters
    if filters.build is None or filters.minibatch is None:
        return ""
    return format_id("build", find_minibatch(reader, filters.build, filters.minibatch))


def _calibrations(reader: Reader, scores: ScoreChoice, snapshot: Snapshot) -> tuple[str, ...]:
    """Return the ids of the latest map of each dimension that counts."""
    found = reader.rows(
        "pairs/calibrations",
        snapshot_seq=snapshot.commit_seq,
        judge=scores.judge,
        rubric=scores.rubric,
        dimensions=list(scores.dimensions),
    )
    if lacking := [str(dimension) for dimension, calibration_id in found if calibration_id is None]:
        raise RecipeError(
            f"scores of {scores.judge} by {scores.rubric} have no calibration in {', '.join(lacking)}; make them with "
            f"tso-data calibrate --judge {scores.judge} --rubric {scores.rubric}"
        )
    return tuple(str(calibration_id) for _, calibration_id in found)


def _rounded(found: SourceWeights) -> SourceWeights:
    """Return the weights as they are stored, so that the draw can be run again from what is stored."""
    return found._replace(weights={source: round(weight, 12) for source, weight in found.weights.items()})


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """The plan that a build was drawn by, and the material that it saw."""

    build_key: int
    snapshot: Snapshot
    plan: Plan


def stored_plan(reader: Reader, name: str) -> StoredPlan:
    """Return the plan of a stored build, from what is stored with it alone.

    Raises:
        UnknownNameError: there is no build of that name.
    """
    rows = reader.rows("builds/plan", name=name)
    if not rows:
        raise no_such_build(reader, name)
    build_key, base, seed, snapshot_key, snapshot_seq, resolved, body = rows[0]
    plan = _parse_plan(reader, str(base), Recipe.from_body(str(body), seed=int(seed)), json.loads(resolved))
    return StoredPlan(int(build_key), Snapshot(int(snapshot_key), int(snapshot_seq)), plan)


def _parse_plan(reader: Reader, base: str, recipe: Recipe, resolved: Mapping[str, Any]) -> Plan:
    known = {source.label: source for source in load_sources(reader)}
    weights = {}
    for place, found in resolved["weights"].items():
        pool, side = place.split(".")
        weights[pool, side] = SourceWeights({known[label]: weight for label, weight in found.items()}, ())
    return Plan(
        base=base,
        versions=tuple(resolved["versions"]),
        recipe=recipe,
        scores=ScoreChoice(**resolved["scores"], **_of_recipe(recipe.scores)),
        weights=weights,
        competitors=_of_labels(resolved["candidates"], known),
        required=_of_labels(resolved.get("answered_by", {}), known),
        calibrations=tuple(resolved.get("calibrations", ())),
        policies={pool: GivenBy(**given) for pool, given in resolved.get("policies", {}).items()},
        prompts_of=resolved.get("prompts_of", ""),
    )


def _of_labels(labels: Mapping[str, list[str]], known: Mapping[str, Source]) -> dict[str, tuple[Source, ...]]:
    return {name: tuple(known[label] for label in found) for name, found in labels.items()}


def _of_recipe(asked: ScoreChoice) -> dict[str, Any]:
    return {"dimensions": asked.dimensions, "people_first": asked.people_first, "calibrated": asked.calibrated}


def _choose_scores(reader: Reader, recipe: Recipe, sources: list[int], snapshot: Snapshot) -> ScoreChoice:
    asked = recipe.scores
    found = [
        (str(judge), str(rubric))
        for judge, rubric, _ in reader.rows("pairs/score_choices", snapshot_seq=snapshot.commit_seq, sources=sources)
        if asked.judge in (None, judge) and asked.rubric in (None, rubric)
    ]
    if len(found) == 1:
        return ScoreChoice(*found[0], **_of_recipe(asked))
    stated = asked.judge or asked.rubric
    if found and (recipe.needs_scores or stated):
        several = "; ".join(f"{judge} by {rubric}" for judge, rubric in found[:6])
        raise RecipeError(f"these answers have scores of {several}: state judge and rubric under [scores]")
    if stated:
        raise RecipeError(
            f"no scores of judge {asked.judge or 'any'} by rubric {asked.rubric or 'any'} on these answers"
        )
    return ScoreChoice(None, None, **_of_recipe(asked))


def _check_verdicts(reader: Reader, asked: VerdictChoice, snapshot: Snapshot) -> None:
    if asked.judge is None and asked.rubric is None:
        return
    found = [
        (str(judge), str(rubric))
        for judge, rubric, _ in reader.rows("pairs/verdict_choices", snapshot_seq=snapshot.commit_seq)
    ]
    if not any(asked.judge in (None, judge) and asked.rubric in (None, rubric) for judge, rubric in found):
        there = ", ".join(f"{judge} by {rubric}" for judge, rubric in found[:6]) or "none"
        who = f"judge {asked.judge or 'any'} by rubric {asked.rubric or 'any'}"
        raise RecipeError(f"no verdicts of {who}; the store has {there}")


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
