"""Arena-Hard's scores, and Bradley-Terry strengths of any set of models, from verdicts in both orders.

Version 0.1 counts `>>` as three votes and every other verdict as one. Version 2 turns each question's two games into
shares of win, a `>>` again three times, and leaves out a question with an unparsed game.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from tsodata.errors import UnknownNameError
from tsodata.evals.items import Evaluation, Which, bootstrap, judge_notes, load_verdicts, rubric_notes
from tsodata.evals.logistic import Observation, fit_logistic, sigmoid
from tsodata.store import Reader

ARENA_HARD = Which("arena-hard")
JUDGES = ("gpt-4-1106-preview",)
DECISIVE_VOTES = 3
N_REPLICATES = 100  # upstream's


class Game(NamedTuple):
    """One verdict from a model's side: 1 it wins, 0 it loses, 0.5 a tie; `n_votes` is how much it counts."""

    prompt_key: int
    model: str
    against: str
    win: float | None
    n_votes: int


def arena_hard(
    reader: Reader, which: Which = ARENA_HARD, *, baseline: str, model: str | None = None, seed: int = 42
) -> Evaluation:
    """Return one row per judge and model: its score against the baseline in percent, by both versions, with intervals.

    The interval of version 0.1 is of 100 bootstraps over votes, 2.5 to 97.5 %; of version 2 over questions, 5 to 95 %.

    Raises:
        UnknownNameError: the store has no such verdicts.
    """
    verdicts = load_verdicts(reader, which)
    notes = judge_notes([v.judge for v in verdicts], JUDGES, "Arena-Hard")
    notes += rubric_notes(which.rubric, ARENA_HARD.rubric, "Arena-Hard")
    rows: list[dict[str, object]] = []
    for by, found in groupby(verdicts, lambda verdict: verdict.judge):
        games = [game for v in found for game in _both_sides(v.prompt_key, v.a, v.b, preference=v.preference)]
        strengths = bradley_terry(games)
        against = [game for game in games if game.against == baseline and model in (None, game.model)]
        for name in sorted({game.model for game in against}):
            own = [game for game in against if game.model == name]
            rows.append({"judge": by, "model": name, "baseline": baseline, **_scores(own, seed)})
            rows[-1]["bradley_terry"] = _against(strengths, name, baseline)
    if not rows:
        raise UnknownNameError(f"no verdict by rubric {which.rubric!r} compares {model or 'a model'} with {baseline}")
    rows.sort(key=lambda row: (str(row["judge"]), -float(str(row["win_rate"] or 0))))
    return Evaluation(rows, notes)


def _both_sides(prompt_key: int, a: str, b: str, *, preference: float | None) -> Iterator[Game]:
    n_votes = 0 if preference is None else DECISIVE_VOTES if preference in (0, 1) else 1
    yield Game(prompt_key, a, b, preference, n_votes)
    yield Game(prompt_key, b, a, None if preference is None else 1 - preference, n_votes)


def _outcome(game: Game) -> float:
    assert game.win is not None
    return 0.5 if game.win == 0.5 else float(game.win > 0.5)


def _scores(games: Sequence[Game], seed: int) -> dict[str, object]:
    votes = [_outcome(game) for game in games if game.win is not None for _ in range(game.n_votes)]
    shares = list(_shares_by_question(games))
    low, high = bootstrap(votes, _percent, seed=seed, n_replicates=N_REPLICATES) if votes else (None, None)
    v2_low, v2_high = (
        bootstrap(shares, _pooled, seed=seed, n_replicates=N_REPLICATES, tail=0.05) if shares else (None, None)
    )
    return {
        "win_rate": _percent(votes) if votes else None,
        "low": low,
        "high": high,
        "win_rate_v2": _pooled(shares) if shares else None,
        "v2_low": v2_low,
        "v2_high": v2_high,
        "n_verdicts": sum(game.win is not None for game in games),
        "n_without": sum(game.win is None for game in games),
    }


def _percent(votes: Sequence[float]) -> float:
    return 100 * math.fsum(votes) / len(votes)


def _pooled(shares: Sequence[Sequence[float]]) -> float:
    return _percent([share for of_one in shares for share in of_one])


def _shares_by_question(games: Sequence[Game]) -> Iterator[list[float]]:
    by_prompt = defaultdict(list)
    for game in games:
        by_prompt[game.prompt_key].append(game)
    for of_one in by_prompt.values():
        if all(game.win is not None for game in of_one):
            yield [_outcome(game) for game in of_one for _ in range(game.n_votes)]


def bradley_terry(games: Sequence[Game]) -> dict[str, float]:
    """Return each model's strength in units of log odds, the first by name at 0; ties are half a win for each.

    A model that never wins, or never loses, has no finite strength: minus or plus infinity, found before the fit.
    """
    votes: dict[tuple[str, str], float] = defaultdict(float)
    for game in games:
        if game.win is not None:
            votes[game.model, game.against] += game.n_votes * _outcome(game)
    models = sorted({name for pair in votes for name in pair})
    extreme: dict[str, float] = {}
    while found := _one_sided(votes, [name for name in models if name not in extreme]):
        extreme |= found
    rest = [name for name in models if name not in extreme]
    if len(rest) < 2:
        return extreme | dict.fromkeys(rest, 0.0)
    rows = []
    for (winner, loser), weight in sorted(votes.items()):
        if winner in rest and loser in rest and weight:
            side = [float(name == winner) - float(name == loser) for name in rest[1:]]
            rows.append(Observation(tuple(side), 1.0, weight))
    return extreme | {rest[0]: 0.0} | dict(zip(rest[1:], fit_logistic(rows), strict=True))


def _one_sided(votes: dict[tuple[str, str], float], models: Sequence[str]) -> dict[str, float]:
    found = {}
    for name in models:
        won = sum(votes.get((name, other), 0.0) for other in models)
        lost = sum(votes.get((other, name), 0.0) for other in models)
        if (won == 0) != (lost == 0):
            found[name] = math.inf if lost == 0 else -math.inf
    return found


def _against(strengths: dict[str, float], model: str, baseline: str) -> float | None:
    """Return the percentage of wins over the baseline that the strengths foresee, None where one was never judged."""
    if model not in strengths or baseline not in strengths:
        return None
    difference = strengths[model] - strengths[baseline]
    if math.isnan(difference):
        return None
    return 100 * (sigmoid(difference) if math.isfinite(difference) else float(difference > 0))
