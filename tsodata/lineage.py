"""Why a pair, or an answer of a build without pairs, is what it is: from its row of keys down to the judges' raw words.

Everything is read from the store; the draw is run again for the one prompt, by the SQL that drew it, and shown.
"""

from __future__ import annotations

from typing import Any

from tsodata.builds.drawing import keep_accepted, keep_candidates, keep_compared, keep_scored, keep_set_aside
from tsodata.builds.planning import SIDES, StoredPlan, stored_plan
from tsodata.errors import UnknownNameError
from tsodata.provenance import format_id, parse_id
from tsodata.store import Reader, Store


def explain_pair(store: Store, pair_id: str, *, build: str | None = None) -> dict[str, Any]:
    """Return all that the store knows of a pair, as plain data.

    Keys: `pair_id`, `prompt`, `chosen` and `rejected` (each with its source, run, file, settings, `scores`,
    `preferences` and `corrections`), and `builds`, one for each build that holds the pair, with `why` and `draw`: the
    candidates with their weights and arrivals, or their ranks, scores and random numbers, and what was accepted, or
    what the verdicts say of each two answers.

    Raises:
        UsageError: the text is no pair id.
        UnknownNameError: no build, or not the one named, holds the pair.
    """
    key = parse_id("pair", pair_id)
    with store.reader() as reader:
        rows = _rows(reader, "lineage/pair", f"pair {pair_id}", build=build, pair_key=key)
        first = rows[0]
        return {
            "pair_id": format_id("pair", key),
            "prompt": _dicts(reader, "lineage/prompt", prompt_key=first["prompt_key"])[0],
            "chosen": _side(reader, first["chosen_key"]),
            "rejected": _side(reader, first["rejected_key"]),
            "builds": [_in_build(reader, row) for row in rows],
        }


def explain_answer(store: Store, response_id: str, *, build: str | None = None) -> dict[str, Any]:
    """Return all that the store knows of an answer in builds of answers or lists, as plain data.

    Keys: `response_id`, `prompt`, `answer` (as a side of `explain_pair`), and `builds`.

    Raises:
        UsageError: the text is no response id.
        UnknownNameError: no build, or not the one named, holds the answer.
    """
    key = parse_id("response", response_id)
    with store.reader() as reader:
        rows = _rows(reader, "lineage/answer", f"answer {response_id}", build=build, response_key=key)
        return {
            "response_id": format_id("response", key),
            "prompt": _dicts(reader, "lineage/prompt", prompt_key=rows[0]["prompt_key"])[0],
            "answer": _side(reader, key),
            "builds": [_in_build(reader, row) for row in rows],
        }


def _rows(reader: Reader, path: str, what: str, *, build: str | None, **key: int) -> list[dict[str, Any]]:
    rows = [row for row in _dicts(reader, path, **key) if build in (None, row["build"])]
    if not rows:
        where = f"build {build!r}" if build else "any build of the store"
        raise UnknownNameError(f"no {what} in {where}")
    return rows


def _dicts(reader: Reader, path: str, **parameters: object) -> list[dict[str, Any]]:
    return reader.frame(path, **parameters).to_dicts()


def _side(reader: Reader, response_key: int) -> dict[str, Any]:
    return {
        **_dicts(reader, "lineage/response", response_key=response_key)[0],
        "scores": _dicts(reader, "lineage/scores", response_key=response_key),
        "preferences": _dicts(reader, "lineage/preferences", response_key=response_key),
        "corrections": _dicts(reader, "lineage/corrections", response_key=response_key),
    }


def _in_build(reader: Reader, row: dict[str, Any]) -> dict[str, Any]:
    stored = stored_plan(reader, row["build"])
    recipe = stored.plan.recipe
    pool = row.get("pool") or next(iter(recipe.pools))
    facts = {name: value for name, value in row.items() if not name.endswith("_key")}
    if recipe.pools[pool].by_verdict:
        draw = {"compared": _comparisons(reader, stored, pool, prompt_key=row["prompt_key"])}
        why = _why_by_verdict(row, stored, draw["compared"])
    elif recipe.pools[pool].by_score:
        draw = _ranking(reader, stored, pool, prompt_key=row["prompt_key"])
        why = _why_by_score(row, stored, pool, draw)
    else:
        keep_set_aside(reader, stored.plan, stored.snapshot.commit_seq)
        draw = {side: _race(reader, row, stored, side) for side in SIDES}
        why = _why_by_weight(row, draw)
    if recipe.strata:
        why += f"; its prompt stands in the stratum {row['stratum']} by {recipe.strata.by}"
    return {**facts, "why": why, "draw": draw}


def _race(reader: Reader, row: dict[str, Any], stored: StoredPlan, side: str) -> list[dict[str, Any]]:
    weights = stored.plan.weights[row["pool"], side].weights
    return _dicts(
        reader,
        "lineage/race",
        pool=row["pool"],
        prompt_key=row["prompt_key"],
        snapshot_seq=stored.snapshot.commit_seq,
        labels=[source.label for source in weights],
        weights=list(weights.values()),
        seed=stored.plan.stream(row["pool"], side, row["round"]),
    )


def _why_by_weight(row: dict[str, Any], races: dict[str, list[dict[str, Any]]]) -> str:
    parts = []
    for side in SIDES:
        winner, n_others = races[side][0], len(races[side]) - 1
        total = sum(runner["weight"] for runner in races[side])
        chance = winner["weight"] / total
        parts.append(f"{side} {winner['source']} came first of {n_others + 1} (chance {chance:.0%})")
    return f"a weighted draw with seed {row['seed']}: {'; '.join(parts)}"


def _comparisons(reader: Reader, stored: StoredPlan, pool: str, *, prompt_key: int) -> list[dict[str, Any]]:
    reader.keep("eligible", "pairs/only_prompt", prompt_key=prompt_key)
    keep_compared(reader, stored.plan, pool, snapshot_seq=stored.snapshot.commit_seq)
    return _dicts(reader, "pairs/comparisons")


def _why_by_verdict(row: dict[str, Any], stored: StoredPlan, compared: list[dict[str, Any]]) -> str:
    ids = [format_id("response", row[f"{side}_key"]) for side in SIDES]
    (one,) = (found for found in compared if [found["response_id"], found["against_response_id"]] == ids)
    verdicts = stored.plan.recipe.verdicts
    whose = f"of {verdicts.judge or 'all judges'} by {verdicts.rubric or 'all rubrics'}"
    people = ", people's alone where they compared them" if verdicts.people_first else ""
    order = f"number {row['round']} in a random order (u = {one['number']:.4f}, seed {row['seed']})"
    return (
        f"preferred by {one['preference']:.4f} of 1, the mean over verdicts (n = {one['n_verdicts']}) {whose}{people}; "
        f"{order} of {len(compared)} compared"
    )


def _ranking(reader: Reader, stored: StoredPlan, pool: str, *, prompt_key: int) -> dict[str, list[dict[str, Any]]]:
    plan, seq = stored.plan, stored.snapshot.commit_seq
    reader.keep("eligible", "pairs/only_prompt", prompt_key=prompt_key)
    keep_scored(reader, plan, seq, prompt_key=prompt_key)
    keep_set_aside(reader, plan, seq)
    keep_candidates(reader, plan, pool, snapshot_seq=seq)
    seeds = {f"{side}_seed": plan.stream(pool, side) for side in SIDES}
    draw = {"candidates": _dicts(reader, "pairs/ranking", **seeds)}
    if plan.recipe.pools[pool].draw == "rso":
        keep_accepted(reader, plan, pool)
        draw["accepted"] = _dicts(reader, "pairs/acceptances")
    return draw


def _why_by_score(row: dict[str, Any], stored: StoredPlan, pool: str, draw: dict[str, list[dict[str, Any]]]) -> str:
    how, scores = stored.plan.recipe.pools[pool], stored.plan.scores
    told = {
        "max_min": _told_max_min,
        "max_random": _told_max_random,
        "max_second": _told_max_second,
        "rso": _told_rso,
    }
    if how.draw in told:
        what = told[how.draw](row, draw)
    elif how.draw == "threshold":
        what = f"its score {row['score']:g} is not below {how.min_score:g}; place {row['place']} on its prompt"
    else:
        n_scored = sum(candidate["score"] is not None for candidate in draw["candidates"])
        kept = f" (the best {how.keep} are kept)" if how.draw == "best_of_n" else ""
        what = f"place {row['place']} by score ({row['score']:g}) of {n_scored} scored answers{kept}"
    if how.draw == "rso":
        what += f", at temperature {how.beta:g}, seed {row['seed']}"
    candidates = ", ".join(source.label for source in stored.plan.competitors[pool])
    return f"{what}, by {scores.judge} with rubric {scores.rubric}, of the candidates {candidates}"


def _told_max_min(row: dict[str, Any], _: dict[str, list[dict[str, Any]]]) -> str:
    place = "" if row["round"] == 1 else f", number {row['round']} from each end"
    best, worst = f"({row['chosen_score']:g})", f"({row['rejected_score']:g})"
    return f"the best-scored answer {best} against the worst-scored {worst}{place}"


def _told_max_random(row: dict[str, Any], draw: dict[str, list[dict[str, Any]]]) -> str:
    below = [c for c in draw["candidates"] if c["score"] is not None and c["score"] < row["chosen_score"]]
    (number,) = (c["rejected_number"] for c in below if c["response_id"] == format_id("response", row["rejected_key"]))
    drawn = f"number {row['round']} in a random order (u = {number:.4f}, seed {row['seed']}) of the {len(below)}"
    return f"the best-scored answer ({row['chosen_score']:g}) against {drawn} that score below it"


def _told_max_second(row: dict[str, Any], _: dict[str, list[dict[str, Any]]]) -> str:
    upper, lower = f"({row['chosen_score']:g})", f"({row['rejected_score']:g})"
    if row["round"] == 1:
        return f"the best score {upper} against the second best {lower}"
    return f"score number {row['round']} from the top {upper} against the next {lower}"


def _told_rso(row: dict[str, Any], draw: dict[str, list[dict[str, Any]]]) -> str:
    by_id = {accepted["response_id"]: accepted for accepted in draw["accepted"]}
    parts = []
    for side in SIDES:
        one = by_id[format_id("response", row[f"{side}_key"])]
        law = f"u = {one['number']:.4f} below exp(({one['score']:g} - {one['best']:g}) / beta) = {one['chance']:.4f}"
        parts.append(f"{side} as number {one['step']}, in pass {one['pass']}, with {law}")
    return f"accepted by rejection sampling, the higher score chosen: {'; '.join(parts)}"
