"""Two models prompt by prompt: by whose answers are better where both were judged alike, with an interval."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TypeVar

from tsodata.errors import UnknownNameError
from tsodata.evals.items import Evaluation, Scored, Verdict, Which, bootstrap, load_scores, load_verdicts
from tsodata.store import Reader

Item = tuple[str, int]  # judge and prompt
Key = TypeVar("Key")


def compare(reader: Reader, models: tuple[str, str], which: Which, *, seed: int = 43) -> Evaluation:
    """Return one row per judge: the mean difference of two models over the prompts that both were judged on.

    By scores, the difference is of their mean scores on a prompt; by verdicts, of the shares of win: against each other
    where they met, else against the same third model. The interval is a bootstrap over prompts.

    Raises:
        UnknownNameError: no judge has judged both on one prompt by the rubric.
    """
    first, second = models
    found = _by_scores(reader, models, which) or _by_verdicts(reader, models, which)
    rows = []
    for by in sorted({by for by, _ in found}):
        differences = [difference for (name, _), difference in sorted(found.items()) if name == by]
        low, high = bootstrap(differences, _mean, seed=seed) if len(differences) > 1 else (None, None)
        rows.append(
            {
                "judge": by,
                "model": first,
                "against": second,
                "difference": _mean(differences),
                "low": low,
                "high": high,
                "n": len(differences),
                "n_better": sum(d > 0 for d in differences),
                "n_equal": sum(d == 0 for d in differences),
                "n_worse": sum(d < 0 for d in differences),
            }
        )
    if not rows:
        raise UnknownNameError(f"no judge has judged {first} and {second} on one prompt by rubric {which.rubric!r}")
    return Evaluation(rows)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _by_scores(reader: Reader, models: tuple[str, str], which: Which) -> dict[Item, float]:
    try:
        scores: list[Scored] = load_scores(reader, which)
    except UnknownNameError:
        return {}
    by_model: dict[str, dict[Item, list[float]]] = {name: defaultdict(list) for name in models}
    for s in scores:
        if s.model in by_model and s.value is not None:
            by_model[s.model][s.judge, s.prompt_key].append(s.value)
    return _differences(by_model[models[0]], by_model[models[1]])


def _by_verdicts(reader: Reader, models: tuple[str, str], which: Which) -> dict[Item, float]:
    verdicts: list[Verdict] = load_verdicts(reader, which)
    met: dict[Item, list[float]] = defaultdict(list)
    wins: dict[str, dict[tuple[Item, str], list[float]]] = {name: defaultdict(list) for name in models}
    for v in verdicts:
        if v.preference is None:
            continue
        item = (v.judge, v.prompt_key)
        for model, other, win in ((v.a, v.b, v.preference), (v.b, v.a, 1 - v.preference)):
            if (model, other) == models:
                met[item].append(2 * win - 1)
            elif model in wins and other not in wins:
                wins[model][item, other].append(win)
    if met:
        return {item: _mean(values) for item, values in met.items()}
    apart = _differences(wins[models[0]], wins[models[1]])
    by_item: dict[Item, list[float]] = defaultdict(list)
    for (item, _), difference in apart.items():
        by_item[item].append(difference)
    return {item: _mean(values) for item, values in by_item.items()}


def _differences(first: Mapping[Key, Sequence[float]], second: Mapping[Key, Sequence[float]]) -> dict[Key, float]:
    return {key: _mean(values) - _mean(second[key]) for key, values in first.items() if key in second}
