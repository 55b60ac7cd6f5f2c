"""The draw: a plan's SQL over keys, in order, on a read-only connection (sql/pairs).

Leaves the temporary table `judged` behind: every pool's drawn pairs, with the reason where one does not stand.
"""

from __future__ import annotations

from tsodata.builds.planning import SIDES, Plan
from tsodata.provenance import stream_seed
from tsodata.store import Reader, Snapshot


def draw(reader: Reader, plan: Plan, snapshot: Snapshot) -> None:
    """Draw from every pool, and judge what was drawn."""
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
    competing = sorted({source.source_key for sources in plan.competitors.values() for source in sources})
    reader.keep("to_score", "pairs/to_score_competing", snapshot_seq=seq, sources=competing)
    _score(reader, plan, snapshot, append=False)
    for position, pool in enumerate(sorted(recipe.pools)):
        _draw_pool(reader, plan, pool, snapshot, append=position > 0)
    reader.keep("to_score", "pairs/to_score_drawn")
    _score(reader, plan, snapshot, append=True)
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


def _score(reader: Reader, plan: Plan, snapshot: Snapshot, *, append: bool) -> None:
    """Keep the scores of the answers that stand in `to_score`: most answers of a large store are never needed."""
    reader.keep(
        "scored",
        "pairs/scored",
        append=append,
        snapshot_seq=snapshot.commit_seq,
        judge=plan.scores.judge,
        rubric=plan.scores.rubric,
        dimensions=list(plan.scores.dimensions),
        people_first=plan.scores.people_first,
    )


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
