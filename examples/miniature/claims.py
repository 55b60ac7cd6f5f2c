"""What the paper says, as statements about our figures, and whether they hold: fixed before the run.

A claim is one number per seed that is above zero where the paper is right. It is shown where the 95 % interval over
seeds lies above zero, contradicted where it lies below, and else undecided.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator
from typing import NamedTuple

from miniature.cells import BASE
from miniature.summary import Estimate, Results, Seed
from miniature.tables import agreed, by_score, curve, difference, gain, last, mark, shape_figure, table

VERDICTS = {"above": "shown", "below": "contradicted", "undecided": "undecided"}


class Claim(NamedTuple):
    """A statement, where the paper makes it, and what measures it."""

    where: str
    statement: str
    measure: Callable[[Seed], float]


def claims(results: Results) -> Iterator[Claim]:
    """Yield all claims."""
    yield from _methods()
    yield from _sources(results)
    yield from _losses()
    yield from _judge()


def _methods() -> Iterator[Claim]:
    tso = mark("staged", "tso-3")
    for told, unit, name in (
        ("the base", "exam", BASE),
        ("DPO", "one-pass", "dpo"),
        ("RSO", "own-answers", "rso"),
        ("IPO", "one-pass", "ipo"),
        ("cDPO", "one-pass", "cdpo"),
    ):
        yield Claim("Table 2", f"TSO-3 scores above {told}", _minus(tso, mark(unit, name)))
    for stage in (2, 3):
        measure = _minus(mark("staged", f"tso-{stage}"), mark("staged", f"tso-{stage - 1}"))
        yield Claim("Table 2", f"TSO-{stage} scores above TSO-{stage - 1}", measure)
    for stage in (1, 2, 3):
        measure = _minus(mark("staged", f"tso-{stage}"), mark("self-reward", f"self-{stage}"))
        yield Claim("Table 5", f"after stage {stage} TSO scores above Self-Reward†", measure)


def _sources(results: Results) -> Iterator[Claim]:
    cells = [cell for cell in by_score(results) if cell != BASE]
    middle = results.over(mark("exam", BASE)).mean
    near = sorted(cells, key=lambda cell: abs(results.over(mark("exam", cell)).mean - middle))[:2]
    far = cells[:2]
    own = gain("negatives", BASE)
    yield Claim("Table 3", "the base's own answers as the only negatives hurt the base", lambda seed: -own(seed))
    yield Claim(
        "Table 3",
        "negatives of the two cells nearest to the base are better than its own",
        lambda seed: _mean("negatives", near)(seed) - mark("negatives", BASE)(seed),
    )
    yield Claim(
        "Table 3",
        "negatives of the two cells nearest to the base are better than those of the two weakest",
        _minus(_mean("negatives", near), _mean("negatives", far)),
    )


def _mean(unit: str, names: list[str]) -> Callable[[Seed], float]:
    return lambda seed: statistics.fmean(mark(unit, name)(seed) for name in names)


def _losses() -> Iterator[Claim]:
    yield Claim(
        "Table 6",
        "dual clip scores above DPO on the same pairs",
        lambda s: difference(s, "one-pass", "separate", "dpo"),
    )
    yield Claim(
        "Table 7",
        "three minibatches score above one pass (dual clip)",
        _minus(mark("minibatches", "thirds-separate-3"), mark("one-pass", "separate")),
    )
    yield Claim(
        "Table 7",
        "three minibatches score above one pass (DPO)",
        _minus(mark("minibatches", "thirds-dpo-3"), mark("one-pass", "dpo")),
    )
    hot = "at 5e-4"
    yield Claim("Table 6", f"the same {hot}", lambda seed: difference(seed, "hot", "separate", "dpo"))
    for unit, where in (("one-pass", ""), ("hot", f", {hot}")):
        dpo = last(unit, "dpo", "chosen_reward")
        yield Claim("Fig. 3", f"the chosen reward falls below zero under DPO{where}", lambda seed, dpo=dpo: -dpo(seed))  # type: ignore[misc]
        for form in ("separate", "joint", "linear"):
            chosen = last(unit, form, "chosen_reward")
            yield Claim("Fig. 3", f"it rises above zero under dual clip ({form}){where}", chosen)
            yield Claim("Fig. 3", f"it is above DPO's ({form}){where}", _minus(chosen, dpo))
    for form in ("separate", "joint", "linear"):
        yield Claim("Fig. 4", f"at beta 1 the margin of dual clip ({form}) is above DPO's", _margin(form, 1.0))
        yield Claim(
            "Fig. 4",
            f"the margin of dual clip ({form}) over DPO's grows from beta 0.1 to 1",
            lambda seed, form=form: _margin(form, 1.0)(seed) - _margin(form, 0.1)(seed),  # type: ignore[misc]
        )
    yield Claim("Fig. 6", "in one pass DPO's gradient scale falls below half of its start", _fall)
    yield Claim("Fig. 6", "a new reference sets it back: stage 2 begins above the end of stage 1", _reset)


def _margin(form: str, beta: float) -> Callable[[Seed], float]:
    """Return what finds by how much of DPO's margin a form's is above it."""

    def measure(seed: Seed) -> float:
        of_form, of_dpo = (mark("betas", f"beta-{beta}-{loss}", "margin")(seed) for loss in (form, "dpo"))
        return of_form / of_dpo - 1

    return measure


def _fall(seed: Seed) -> float:
    scale = curve(seed, "one-pass", "dpo", "gradient_scale")
    end = scale[-len(scale) // 3 :]
    return scale[0] / 2 - statistics.fmean(end)


def _reset(seed: Seed) -> float:
    first, second = (curve(seed, "minibatches", f"thirds-dpo-{stage}", "gradient_scale") for stage in (1, 2))
    return second[0] - statistics.fmean(first[-len(first) // 3 :])


def _judge() -> Iterator[Claim]:
    for name, sign in (("mean absolute difference", 1), ("pairs in the same order", -1), ("Spearman's rho", -1)):
        told = "falls" if sign > 0 else "rises"
        yield Claim("Tables 10, 11", f"with the correction the judge's {name} {told}", _moved(name, sign))
    yield Claim("Fig. 5", "most prompts lie at negative kurtosis", lambda seed: _shape(seed, "G2 below 0") - 0.5)
    yield Claim("Fig. 5", "most prompts lie at negative skewness", lambda seed: _shape(seed, "G1 below 0") - 0.5)
    yield Claim(
        "Fig. 5",
        "mean scores are lower near the origin",
        lambda seed: _shape(seed, "mean off the origin") - _shape(seed, "mean near the origin"),
    )


def _shape(seed: Seed, name: str) -> float:
    value = shape_figure(seed, "rule", name)
    return math.nan if value is None else value


def _moved(name: str, sign: int) -> Callable[[Seed], float]:
    def measure(seed: Seed) -> float:
        before, after = (agreed(seed, "agreement", name, judge, None) for judge in ("careless", "corrected"))
        return sign * (float(before or 0) - float(after or 0))

    return measure


def _minus(one: Callable[[Seed], float], other: Callable[[Seed], float]) -> Callable[[Seed], float]:
    return lambda seed: one(seed) - other(seed)


def verdicts(results: Results) -> Iterator[str]:
    """Yield the table of all claims."""
    rows = []
    for claim in claims(results):
        found: Estimate = results.over(claim.measure)
        n_right = sum(claim.measure(seed) > 0 for seed in results.seeds)
        word = VERDICTS[found.verdict]
        told = f"**{word}**" if word != "undecided" else word
        rows.append([claim.where, claim.statement, found.told(3), f"{n_right} of {found.n}", told])
    yield from table(["where", "claim", "above zero where it holds", "seeds", "verdict"], rows)
