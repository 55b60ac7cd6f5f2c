"""The draw: a plan's SQL over keys, in order, on a read-only connection (sql/pairs, sql/answers).

Leaves the temporary table `judged` behind: what every pool drew on every prompt, with the reason where it does not
stand. A recipe that makes answers or lists has one row a prompt there, and the answers themselves in `listed`.
"""

from __future__ import annotations

from tsodata.builds.planning import SIDES, Plan
from tsodata.builds.policies import keep_given
from tsodata.recipes import NO_STRATUM
from tsodata.store import Reader


def draw(reader: Reader, plan: Plan, snapshot_seq: int) -> None:
    """Draw from every pool, and judge what was drawn."""
    keep_scored(reader, plan, snapshot_seq)
    keep_set_aside(reader, plan, snapshot_seq)
    _keep_eligible(reader, plan, snapshot_seq)
    make = _draw_pairs if plan.recipe.makes == "pairs" else _draw_answers
    for position, pool in enumerate(sorted(plan.recipe.pools)):
        make(reader, plan, pool, snapshot_seq=snapshot_seq, append=position > 0)
    if plan.recipe.makes == "pairs":
        reader.keep("to_score", "pairs/to_score_drawn")
        _score(reader, plan, snapshot_seq, append=True)
        _judge_pairs(reader, plan)


def keep_scored(reader: Reader, plan: Plan, snapshot_seq: int, *, prompt_key: int | None = None) -> None:
    """Keep the scores of the answers that compete as `scored`, for one prompt or all.

    Most answers of a large store are never needed; only the shape of a prompt's scores is that of all of them.
    """
    strata = plan.recipe.strata
    reader.keep(
        "to_score",
        "pairs/to_score_competing",
        snapshot_seq=snapshot_seq,
        sources=sorted(
            {key for name, pool in plan.recipe.pools.items() if pool.by_score for key in plan.sources(name)}
        ),
        everybody=strata is not None and strata.by == "quadrant",
        prompt_key=prompt_key,
    )
    _score(reader, plan, snapshot_seq, append=False)


def keep_set_aside(reader: Reader, plan: Plan, snapshot_seq: int) -> None:
    """Keep the base's answers that a pool leaves aside, because another policy than its own gave them."""
    hashes = {pool: given.sha256 for pool, given in plan.policies.items()}
    keep_given(reader, hashes, plan.base, snapshot_seq=snapshot_seq)


def _score(reader: Reader, plan: Plan, snapshot_seq: int, *, append: bool) -> None:
    """Keep the scores of the answers that stand in `to_score`."""
    reader.keep(
        "scored",
        "pairs/scored",
        append=append,
        snapshot_seq=snapshot_seq,
        judge=plan.scores.judge,
        rubric=plan.scores.rubric,
        dimensions=list(plan.scores.dimensions),
        people_first=plan.scores.people_first,
        calibrations=list(plan.calibrations),
    )


def keep_candidates(reader: Reader, plan: Plan, pool: str, *, snapshot_seq: int) -> None:
    """Keep the answers that compete in a pool, on the prompts of `eligible`, as `candidates`."""
    reader.keep(
        "candidates",
        "pairs/candidates",
        pool=pool,
        snapshot_seq=snapshot_seq,
        sources=plan.sources(pool),
        as_texts=plan.recipe.pools[pool].draw != "max_min",
    )


def keep_accepted(reader: Reader, plan: Plan, pool: str) -> None:
    """Keep the candidates that rejection sampling accepts, two for each pair of a prompt, as `accepted`."""
    n_accept = 2 * plan.recipe.pairs_per_prompt
    passes = range(1, n_accept + 1)  # a pass accepts at least one
    reader.keep(
        "accepted",
        "pairs/accepted",
        beta=plan.recipe.pools[pool].beta,
        n_accept=n_accept,
        order_seeds=[plan.stream(pool, "order", number) for number in passes],
        number_seeds=[plan.stream(pool, "number", number) for number in passes],
    )


def keep_compared(reader: Reader, plan: Plan, pool: str, *, snapshot_seq: int) -> None:
    """Keep what verdicts say of each two answers, on the prompts of `eligible`, as `compared`."""
    verdicts = plan.recipe.verdicts
    reader.keep(
        "compared",
        "pairs/compared",
        snapshot_seq=snapshot_seq,
        sources=plan.sources(pool),
        judge=verdicts.judge,
        rubric=verdicts.rubric,
        people_first=verdicts.people_first,
        seed=plan.stream(pool, "chosen"),
    )


def _keep_eligible(reader: Reader, plan: Plan, snapshot_seq: int) -> None:
    filters, strata = plan.recipe.filters, plan.recipe.strata
    reader.keep(
        "strata",
        "pairs/strata",
        snapshot_seq=snapshot_seq,
        by=strata.by if strata else None,
        names=list(strata.names if strata else ()),
        none=NO_STRATUM,
    )
    required = [(name, source.source_key) for name, found in plan.required.items() for source in found]
    reader.keep(
        "eligible",
        "pairs/eligible",
        snapshot_seq=snapshot_seq,
        datasets=list(filters.datasets),
        tags=list(filters.tags),
        required_names=[name for name, _ in required],
        required_sources=[key for _, key in required],
        n_required=len(plan.required),
        strata=list(strata.names if strata else ()),
        build=plan.prompts_key,
        minibatch=filters.minibatch,
    )


def _draw_pairs(reader: Reader, plan: Plan, pool: str, *, snapshot_seq: int, append: bool) -> None:
    how = plan.recipe.pools[pool]
    chosen, rejected = (plan.stream(pool, side) for side in SIDES)
    rounds = plan.recipe.pairs_per_prompt
    if how.draw == "weighted":
        _draw_weighted(reader, plan, pool, snapshot_seq=snapshot_seq, append=append)
        return
    if how.draw == "max_min":
        reader.keep(
            "drawn",
            "pairs/draw_max_min",
            append=append,
            pool=pool,
            snapshot_seq=snapshot_seq,
            sources=plan.sources(pool),
            n_rounds=rounds,
            ties=how.ties,
            best_seed=chosen,
            worst_seed=rejected,
        )
        return
    if how.by_verdict:
        keep_compared(reader, plan, pool, snapshot_seq=snapshot_seq)
        limits = {"n_rounds": rounds, "min_preference": how.min_preference}
        reader.keep("drawn", "pairs/draw_preferred", append=append, pool=pool, **limits)
        return
    keep_candidates(reader, plan, pool, snapshot_seq=snapshot_seq)
    reader.keep("lacking", "pairs/lacking")
    path, told = f"pairs/draw_{how.draw}", {"pool": pool}
    if how.draw == "rso":
        keep_accepted(reader, plan, pool)
        reader.keep("drawn", path, append=append, **told)
        return
    seeds = {"chosen_seed": chosen, "rejected_seed": rejected} if how.draw == "max_random" else {"seed": chosen}
    reader.keep("drawn", path, append=append, n_rounds=rounds, ties=how.ties, **told, **seeds)


def _draw_weighted(reader: Reader, plan: Plan, pool: str, *, snapshot_seq: int, append: bool) -> None:
    rounds = range(1, plan.recipe.pairs_per_prompt + 1)
    roles = [
        (side, source.source_key, weight, round_, plan.stream(pool, side, round_))
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
        snapshot_seq=snapshot_seq,
        sides=sides,
        sources=sources,
        weights=weights,
        rounds=numbers,
        seeds=seeds,
    )


def _judge_pairs(reader: Reader, plan: Plan) -> None:
    filters = plan.recipe.filters
    reader.keep(
        "judged",
        "pairs/judged",
        needs_scores=filters.needs_scores,
        min_margin=filters.min_margin,
        min_chosen_score=filters.min_chosen_score,
        max_rejected_score=filters.max_rejected_score,
        max_length_ratio=filters.max_length_ratio,
        score_pools=sorted(name for name, pool in plan.recipe.pools.items() if pool.by_score),
        verdict_pools=sorted(name for name, pool in plan.recipe.pools.items() if pool.by_verdict),
    )


def _draw_answers(reader: Reader, plan: Plan, pool: str, *, snapshot_seq: int, append: bool) -> None:
    how, seed = plan.recipe.pools[pool], plan.stream(pool, "chosen")
    keep_candidates(reader, plan, pool, snapshot_seq=snapshot_seq)
    if how.makes == "lists":
        reader.keep("listed", "answers/ranked", append=append, pool=pool, ties=how.ties, seed=seed)
    else:
        reader.keep(
            "listed",
            "answers/best",
            append=append,
            pool=pool,
            min_score=how.min_score,
            n_keep=how.keep if how.draw == "best_of_n" else None,
            ties=how.ties,
            seed=seed,
        )
    n_least = 2 if how.makes == "lists" else 1
    reader.keep("judged", "answers/judged", append=append, pool=pool, n_least=n_least)
