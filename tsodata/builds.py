"""Builds: pairs as a pure function of (snapshot, recipe, seed).

The draw runs as SQL over keys on a read-only connection (sql/pairs, in the order of `_draw`); only its result is
written, in one transaction. The same material, recipe and seed give the same pairs on any machine, with any number of
threads and in whatever order the store was filled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from tsodata.coverage import load_matrix
from tsodata.draws import (
    ChiSquare,
    SourceWeights,
    Supply,
    chi_square,
    effective_number,
    quotas,
    source_weights,
    split_both,
)
from tsodata.errors import DataError, EmptyPoolError, RecipeError, UnknownNameError, UsageError
from tsodata.matrix import ModelMatrix
from tsodata.provenance import MAX_NAME_CHARS, Run, canonical_json, content_key, format_id, storable, stream_seed
from tsodata.recipes import Recipe, ScoreChoice
from tsodata.records import Source
from tsodata.store import Reader, Snapshot, Store

if TYPE_CHECKING:
    import pyarrow as pa

SIDES = ("chosen", "rejected")


class Share(NamedTuple):
    """How often a source was drawn. `requested` and `expected` are None where the scores decide."""

    pool: str
    side: str
    source: str
    requested: float | None
    expected: float | None
    realised: int


@dataclass(frozen=True, slots=True)
class Build:
    """What a build holds, and how the draw went."""

    name: str
    build_id: str
    base: str
    seed: int
    snapshot_id: str
    n_prompts: int
    n_pairs: int
    n_held_out: int
    minibatches: tuple[int, ...]
    shares: tuple[Share, ...]
    outcomes: Mapping[str, int]
    warnings: tuple[str, ...]
    already_there: bool = False

    def side(self, pool: str, side: str) -> list[Share]:
        """Return the shares of one side of a pool."""
        return [share for share in self.shares if (share.pool, share.side) == (pool, side)]

    def test(self, pool: str, side: str) -> ChiSquare | None:
        """Return the chi-square test of the draw against its weights, or None where the scores decided."""
        shares = [share for share in self.side(pool, side) if share.expected is not None]
        return chi_square([float(s.expected or 0) for s in shares], [s.realised for s in shares]) if shares else None

    def effective_sources(self, pool: str, side: str) -> float:
        """Return the effective number of sources on one side."""
        return effective_number(share.realised for share in self.side(pool, side))


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


def build_pairs(
    store: Store,
    name: str,
    *,
    base: str,
    recipe: Recipe,
    run: Run,
    versions: Sequence[str] | None = None,
    allow_short: bool = False,
) -> Build:
    """Draw the pairs of a recipe around a base model, and store them under a name.

    The same name with the same content is already there, and adds nothing.

    Raises:
        UsageError: the name is taken by another build, or the base or a weight names nobody.
        EmptyPoolError: a pool has no material or not enough, and `allow_short` is off.
    """
    if not name.strip() or len(name) > MAX_NAME_CHARS or storable(name) != name:
        raise UsageError(f"a build's name has 1 to {MAX_NAME_CHARS} characters of UTF-8, not {name[:40]!r}")
    with store.reader() as reader:
        snapshot = reader.snapshot()
        plan = _plan(reader, base, recipe, snapshot, versions)
        warnings = _without_source(plan, allow_short=allow_short)
        key = plan.build_key(snapshot)
        taken = reader.rows("builds/by_name", name=name)
        if taken and taken[0][0] != key:
            raise UsageError(f"a build {name!r} is there already, with other content; choose another name")
        if not taken:
            warnings += _draw(reader, plan, snapshot, allow_short=allow_short)
            drawn = {
                "pairs": reader.arrow("pairs/result", build_key=key),
                "build_prompts": reader.arrow("pairs/outcomes", build_key=key),
                "build_shares": _share_table(reader, plan, snapshot, key),
            }
    if taken:
        return find_build(store, name, already_there=True)
    _store(store, name, plan, snapshot=snapshot, key=key, drawn=drawn, run=run)
    return find_build(store, name, warnings=tuple(warnings))


def _plan(reader: Reader, base: str, recipe: Recipe, snapshot: Snapshot, versions: Sequence[str] | None) -> Plan:
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


def _without_source(plan: Plan, *, allow_short: bool) -> list[str]:
    told = []
    for (pool, side), found in plan.weights.items():
        if found.without_source:
            names = ", ".join(found.without_source)
            line = f"pool {pool}: no source for {side} {names}, so its weight goes to the others"
            if not allow_short:
                raise EmptyPoolError(f"{line}; pass --allow-short to draw all the same, or change the weights")
            told.append(line)
    return told


def _draw(reader: Reader, plan: Plan, snapshot: Snapshot, *, allow_short: bool) -> list[str]:
    recipe, seq = plan.recipe, snapshot.commit_seq
    required = [(name, source.source_key) for name in recipe.filters.answered_by for source in plan.matrix.find(name)]
    reader.keep(
        "eligible",
        "pairs/eligible",
        snapshot_seq=seq,
        datasets=list(recipe.filters.datasets),
        tags=list(recipe.filters.tags),
        required_names=[name for name, _ in required],
        required_sources=[key for _, key in required],
        n_required=len(set(recipe.filters.answered_by)),
    )
    reader.keep(
        "scored",
        "pairs/scored",
        snapshot_seq=seq,
        judge=plan.scores.judge,
        rubric=plan.scores.rubric,
        dimensions=list(plan.scores.dimensions),
        people_first=plan.scores.people_first,
    )
    for position, pool in enumerate(sorted(recipe.pools)):
        _draw_pool(reader, plan, pool, snapshot, append=position > 0)
    filters = recipe.filters
    reader.keep(
        "judged",
        "pairs/judged",
        needs_scores=filters.needs_scores,
        min_margin=filters.min_margin,
        min_chosen_score=filters.min_chosen_score,
        max_rejected_score=filters.max_rejected_score,
        max_length_ratio=filters.max_length_ratio,
        score_pools=[name for name, pool in recipe.pools.items() if pool.draw == "max_min"],
    )
    return _select(reader, plan, allow_short=allow_short)


def _draw_pool(reader: Reader, plan: Plan, pool: str, snapshot: Snapshot, *, append: bool) -> None:
    rounds = range(1, plan.recipe.pairs_per_prompt + 1)
    if pool in plan.competitors:
        reader.keep(
            "drawn",
            "pairs/draw_max_min",
            append=append,
            pool=pool,
            snapshot_seq=snapshot.commit_seq,
            sources=[source.source_key for source in plan.competitors[pool]],
            n_rounds=plan.recipe.pairs_per_prompt,
            ties=plan.recipe.pools[pool].ties,
            best_seed=stream_seed(plan.seed, pool, "chosen"),
            worst_seed=stream_seed(plan.seed, pool, "rejected"),
        )
        return
    roles = [
        (side, source.source_key, weight, round_, stream_seed(plan.seed, pool, side, round_))
        for side in SIDES
        for source, weight in plan.weights[pool, side].weights.items()
        for round_ in rounds
    ]
    sides, sources, weights, numbers, seeds = (list(column) for column in zip(*roles, strict=True))
    reader.keep(
        "drawn",
        "pairs/draw_weighted",
        append=append,
        pool=pool,
        snapshot_seq=snapshot.commit_seq,
        sides=sides,
        sources=sources,
        weights=weights,
        rounds=numbers,
        seeds=seeds,
    )


def _select(reader: Reader, plan: Plan, *, allow_short: bool) -> list[str]:
    recipe = plan.recipe
    pools = sorted(recipe.pools)
    shares = [recipe.pools[pool].share for pool in pools]
    supply = dict(reader.rows("pairs/supply"))
    counts = [int(supply.get(names, 0)) for names in (pools[0], pools[-1], "+".join(pools))]
    n_both = split_both(Supply(*counts), shares[0]) if len(pools) > 1 else 0
    reader.keep(
        "assigned",
        "pairs/assigned",
        first_pool=pools[0],
        n_both=n_both,
        seed=stream_seed(plan.seed, "pool of a prompt"),
    )
    found = dict(reader.rows("pairs/available"))
    available = [int(found.get(pool, 0)) for pool in pools]
    wanted = quotas(available, shares, recipe.n)
    told = _short(reader, plan, pools, available, wanted, allow_short=allow_short)
    if told and recipe.n is None:
        wanted = available
    reader.keep(
        "selected", "pairs/selected", pools=pools, quotas=wanted, seed=stream_seed(plan.seed, "order within a pool")
    )
    n_prompts = int(reader.rows("pairs/n_selected")[0][0])
    n_held_out = math.floor(n_prompts * recipe.held_out + 0.5)
    if n_prompts - n_held_out < recipe.minibatches:
        raise DataError(
            f"{n_prompts} paired prompts, {n_held_out} of them held out, cannot fill {recipe.minibatches} minibatches; "
            "pass a smaller --minibatches"
        )
    reader.keep(
        "split",
        "pairs/split",
        n_held_out=n_held_out,
        n_minibatches=recipe.minibatches,
        held_out_seed=stream_seed(plan.seed, "held out"),
        minibatch_seed=stream_seed(plan.seed, "minibatch"),
    )
    return told


def _short(
    reader: Reader,
    plan: Plan,
    pools: list[str],
    available: list[int],
    wanted: list[int],
    *,
    allow_short: bool,
) -> list[str]:
    """Return a line for each pool that cannot give its share; raise it unless `allow_short`."""
    told = []
    for pool, count, quota in zip(pools, available, wanted, strict=True):
        if count > 0 and count >= quota:
            continue
        reasons = reader.rows("pairs/reasons", pool=pool)
        because = ", ".join(f"{n} prompts {reason}" for reason, n in reasons[:4])
        asked = f"of {quota} pairs asked for" if quota else f"for its share of {plan.recipe.pools[pool].share:g}"
        told.append(f"pool {pool} gives {count} {asked} ({because or 'no eligible prompt'})")
    if told and not allow_short:
        raise EmptyPoolError(f"{'; '.join(told)}. Pass --allow-short to build from what there is, or another recipe")
    if told and not any(available):
        raise EmptyPoolError(f"{'; '.join(told)}: no pair at all can be drawn")
    return told


def _share_table(reader: Reader, plan: Plan, snapshot: Snapshot, key: int) -> pa.Table:
    import pyarrow as pa

    asked: list[tuple[str, str, int, float | None]] = [
        (pool, side, source.source_key, weight)
        for (pool, side), found in plan.weights.items()
        for source, weight in found.weights.items()
    ]
    asked += [
        (pool, side, source.source_key, None)
        for pool, sources in plan.competitors.items()
        for side in SIDES
        for source in sources
    ]
    pools, sides, sources, weights = (list(column) for column in zip(*asked, strict=True))
    table = reader.arrow(
        "pairs/shares", snapshot_seq=snapshot.commit_seq, pools=pools, sides=sides, sources=sources, weights=weights
    )
    return table.add_column(0, "build_key", pa.array([key] * table.num_rows, pa.uint64()))


def _store(
    store: Store,
    name: str,
    plan: Plan,
    *,
    snapshot: Snapshot,
    key: int,
    drawn: Mapping[str, pa.Table],
    run: Run,
) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    pairs = drawn["pairs"]
    row: dict[str, list[Any]] = {
        "build_key": [key],
        "name": [name],
        "recipe_key": [plan.recipe.key],
        "resolved": [plan.resolved()],
        "base": [plan.matrix.base.label],
        "seed": [plan.seed],
        "snapshot_key": [snapshot.key],
        "snapshot_seq": [snapshot.commit_seq],
        "n_prompts": [pc.count_distinct(pairs["prompt_key"]).as_py()],
        "n_pairs": [pairs.num_rows],
    }
    counts = pairs.group_by("minibatch").aggregate([("prompt_key", "count_distinct"), ("prompt_key", "count")])
    counts = counts.filter(pc.is_valid(counts["minibatch"])).sort_by("minibatch")
    with store.transaction(run) as transaction:
        if transaction.rows("builds/by_name", name=name):
            raise UsageError(f"a build {name!r} has just been made by somebody else; choose another name")
        if not transaction.rows("builds/by_key", build_key=key):
            for table, rows in drawn.items():
                transaction.insert(table, rows)
            minibatches = counts.select(["minibatch", "prompt_key_count_distinct", "prompt_key_count"])
            minibatches = minibatches.rename_columns(["minibatch", "n_prompts", "n_pairs"])
            keys = pa.array([key] * minibatches.num_rows, pa.uint64())
            transaction.insert("minibatches", minibatches.add_column(0, "build_key", keys))
        if not transaction.rows("builds/recipe", recipe_key=plan.recipe.key):
            recipe = {"recipe_key": pa.array([plan.recipe.key], pa.uint64()), "body": [plan.recipe.body()]}
            transaction.insert("recipes", pa.table(recipe))
        keys_xor = transaction.rows("builds/pairs_xor", build_key=key)[0][0]
        columns = {
            name: pa.array(values, pa.uint64() if name.endswith("_key") else None) for name, values in row.items()
        }
        transaction.insert("builds", pa.table({**columns, "pairs_xor": pa.array([keys_xor], pa.uint64())}))


def find_build(store: Store, name: str, *, warnings: tuple[str, ...] = (), already_there: bool = False) -> Build:
    """Return a build by its name.

    Raises:
        UnknownNameError: there is none of that name.
    """
    with store.reader() as reader:
        rows = reader.rows("builds/by_name", name=name)
        if not rows:
            names = ", ".join(str(row[0]) for row in reader.rows("builds/names")) or "none yet"
            raise UnknownNameError(f"no build {name!r}; the store has: {names}")
        key, base, seed, snapshot_key, n_prompts, n_pairs = rows[0]
        shares = tuple(Share(*row) for row in reader.rows("builds/shares", build_key=key))
        outcomes = {str(reason): int(n) for reason, n in reader.rows("builds/outcomes", build_key=key)}
        minibatches = tuple(int(n) for _, n, _ in reader.rows("builds/minibatches", build_key=key))
        n_held_out = int(reader.rows("builds/n_held_out", build_key=key)[0][0])
        against = int(reader.rows("builds/reverse_alignment", build_key=key, base=base)[0][0])
    return Build(
        name=name,
        build_id=format_id("build", int(key)),
        base=str(base),
        seed=int(seed),
        snapshot_id=format_id("snapshot", int(snapshot_key)),
        n_prompts=int(n_prompts),
        n_pairs=int(n_pairs),
        n_held_out=n_held_out,
        minibatches=minibatches,
        shares=shares,
        outcomes=outcomes,
        warnings=(*warnings, *_reverse_alignment(str(base), against)),
        already_there=already_there,
    )


def _reverse_alignment(base: str, against: int) -> tuple[str, ...]:
    """Return a warning where the base's own answers are rejected against another source's chosen ones (Sec. 4.2)."""
    if not against:
        return ()
    line = f"{against} pairs reject {base}'s own answers against another source's: the paper found that this"
    return (f"{line} reverses alignment (Sec. 4.2)",)
