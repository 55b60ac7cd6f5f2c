"""The paper's tables from the results, as Markdown. Knows no claim: what a table shows is judged elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from miniature.cells import BASE, LARGEST, SIZES, VERSIONS, label
from miniature.experiments import BETAS, OLDER, SMALLER
from miniature.grading import DIMENSIONS
from miniature.summary import Estimate, Results, Seed, estimate

ROWS_OF_TABLE_2 = (
    ("DPO", "one-pass", "dpo"),
    ("RSO", "own-answers", "rso"),
    ("IPO", "one-pass", "ipo"),
    ("cDPO", "one-pass", "cdpo"),
    ("TSO-1", "staged", "tso-1"),
    ("TSO-2", "staged", "tso-2"),
    ("TSO-3", "staged", "tso-3"),
    ("RAFT", "own-answers", "raft"),
    ("ReST", "own-answers", "rest"),
)
NAMES = {label(version, size.name): f"{size.name} {version}" for size in SIZES for version in VERSIONS}


def mark(unit: str, name: str, key: str = "score") -> Callable[[Seed], float]:
    """Return what finds a trial's mark in a seed's figures."""
    return lambda seed: float(seed[unit][name][key])


def base(key: str = "score") -> Callable[[Seed], float]:
    """Return what finds the base's mark."""
    return mark("exam", BASE, key)


def gain(unit: str, name: str, key: str = "score") -> Callable[[Seed], float]:
    """Return what finds by how much a trial's mark is above the base's."""
    of_trial, of_base = mark(unit, name, key), base(key)
    return lambda seed: of_trial(seed) - of_base(seed)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a table in Markdown."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def matrix(results: Results) -> Iterator[str]:
    """Yield how people and every cell do at the exam."""
    rows = [
        [
            f"**{NAMES[cell]}** (base)" if cell == BASE else NAMES.get(cell, cell),
            *(results.over(mark("exam", cell, key)).told() for key in ("score", *DIMENSIONS)),
            _share(results.over(mark("exam", cell, "right"))),
        ]
        for cell in ("human", *NAMES)
    ]
    yield from table(["source", "score", *DIMENSIONS, "right"], rows)


def table_2(results: Results) -> Iterator[str]:
    """Yield the base against all methods."""
    rows = [["base", "", results.over(base()).told(), "", _share(results.over(base("right")))]]
    rows += [_row(results, *row) for row in ROWS_OF_TABLE_2]
    yield from table(["method", "pairs (answers)", "score", "minus base", "right"], rows)


def _row(results: Results, told: str, unit: str, name: str) -> list[str]:
    n_pairs, n_answers = (
        sum(int(s[unit][name].get(key, 0)) for s in results.seeds) for key in ("n_pairs", "n_answers")
    )
    n = (n_pairs or n_answers) / len(results.seeds)
    return [
        told,
        f"{n:.0f}" if n_pairs else f"({n:.0f})",
        results.over(mark(unit, name)).told(),
        results.over(gain(unit, name)).told(),
        _share(results.over(mark(unit, name, "right"))),
    ]


def table_3(results: Results) -> Iterator[str]:
    """Yield each cell as the only negative, from the worst to the best."""
    rows = [
        [
            f"**{NAMES[cell]}** (base)" if cell == BASE else NAMES[cell],
            results.over(mark("exam", cell)).told(),
            results.over(lambda seed, cell=cell: mark("exam", cell)(seed) - base()(seed)).told(),  # type: ignore[misc]
            results.over(mark("negatives", cell)).told(),
            results.over(gain("negatives", cell)).told(),
        ]
        for cell in by_score(results)
    ]
    yield from table(["only negative", "its score", "minus base", "policy", "policy minus base"], rows)


def by_score(results: Results) -> list[str]:
    """Return the cells of Table 3, the worst first."""
    cells = [cell for cell in NAMES if cell != LARGEST]
    return sorted(cells, key=lambda cell: results.over(mark("exam", cell)).mean)


def table_4(results: Results) -> Iterator[str]:
    """Yield positive source by negative source, as points above the base."""
    negatives = (SMALLER, OLDER, BASE)
    rows = [
        [told, *(results.over(gain("sources", f"{chosen} > {rejected}")).told() for rejected in negatives)]
        for told, chosen in (("people", "human"), (NAMES[LARGEST], LARGEST))
    ]
    rows.append(["half each", *(results.over(gain("negatives", rejected)).told() for rejected in negatives)])
    yield from table(["positive", *(NAMES[rejected] for rejected in negatives)], rows)


def table_5(results: Results) -> Iterator[str]:
    """Yield TSO and Self-Reward by stage, and TSO with the rule as the judge of its own answers."""
    rows = [
        [
            str(stage),
            *(results.over(mark(unit, f"{name}-{stage}")).told() for unit, name in _STAGED[:2]),
            results.over(_tso_minus_self(stage)).told(),
            results.over(mark(*_of_stage(2, stage))).told(),
            *(_share(results.over(mark(*_of_stage(place, stage), "right"))) for place in range(3)),
        ]
        for stage in (1, 2, 3)
    ]
    head = ["stage", "TSO", "Self-Reward†", "difference", "TSO, judged by the rule"]
    yield from table([*head, *(f"right: {told}" for told in ("TSO", "Self-Reward†", "TSO by the rule"))], rows)


_STAGED = (("staged", "tso"), ("self-reward", "self"), ("right-judge", "ruled"))


def _of_stage(place: int, stage: int) -> tuple[str, str]:
    unit, name = _STAGED[place]
    return unit, f"{name}-{stage}"


def table_5_pairs(results: Results) -> Iterator[str]:
    """Yield what the rule thinks of the base's own answers that the judge put on either side, stage by stage."""
    rows = [
        [
            str(stage),
            *(
                results.over(lambda seed, key=key, stage=stage: seed["pairs"][f"tso-{stage}"][key]).told()  # type: ignore[misc]
                for key in ("chosen", "rejected")
            ),
        ]
        for stage in (1, 2, 3)
    ]
    yield from table(["stage", "chosen by the judge", "rejected by the judge"], rows)


def _tso_minus_self(stage: int) -> Callable[[Seed], float]:
    return lambda seed: mark("staged", f"tso-{stage}")(seed) - mark("self-reward", f"self-{stage}")(seed)


def table_6_hot(results: Results) -> Iterator[str]:
    """Yield Table 6 at the learning rate that is too high for DPO."""
    return table_6(results, "hot")


def table_6(results: Results, unit: str = "one-pass") -> Iterator[str]:
    """Yield DPO against the readings of the dual clip loss, on the same pairs."""
    rows = [
        [
            told,
            results.over(mark(unit, name)).told(),
            results.over(lambda seed, name=name: difference(seed, unit, name, "dpo")).told(),  # type: ignore[misc]
            *(results.over(last(unit, name, key)).told() for key in ("chosen_reward", "rejected_reward", "accuracy")),
        ]
        for told, name in (
            ("DPO", "dpo"),
            ("dual clip, separate", "separate"),
            ("joint", "joint"),
            ("linear", "linear"),
        )
    ]
    head = ["loss", "score", "minus DPO", "chosen reward", "rejected reward", "pairs ranked right"]
    yield from table(head, rows)


def difference(seed: Seed, unit: str, name: str, other: str) -> float:
    """Return by how much one trial's score is above another's of the same unit."""
    return mark(unit, name)(seed) - mark(unit, other)(seed)


def curve(seed: Seed, unit: str, name: str, key: str) -> list[float]:
    """Return one figure of a stage, step by step."""
    place = CURVES.index(key)
    return [line[place] for line in seed[unit][name]["curves"]]


def last(unit: str, name: str, key: str) -> Callable[[Seed], float]:
    """Return what finds the mean of a figure over a stage's second and last epoch."""

    def found(seed: Seed) -> float:
        values = curve(seed, unit, name, key)
        return sum(values[len(values) // 2 :]) / len(values[len(values) // 2 :])

    return found


CURVES = ("step", "chosen_reward", "rejected_reward", "margin", "accuracy", "gradient_scale", "rejected_clipped")


def table_7(results: Results) -> Iterator[str]:
    """Yield one pass of all pairs against three minibatches of a third each."""
    rows = []
    for told, name in (("DPO", "dpo"), ("dual clip", "separate")):
        thirds = f"thirds-{name}-3"
        rows.append(
            [
                told,
                results.over(mark("one-pass", name)).told(),
                *(results.over(mark("minibatches", f"thirds-{name}-{stage}")).told() for stage in (1, 2, 3)),
                results.over(lambda s, n=name, t=thirds: mark("minibatches", t)(s) - mark("one-pass", n)(s)).told(),  # type: ignore[misc]
            ]
        )
    yield from table(["loss", "one pass", "after minibatch 1", "2", "3", "3 minus one pass"], rows)


def figure_4(results: Results) -> Iterator[str]:
    """Yield the margin of rewards over beta, and both sides."""
    losses = ("dpo", "separate", "joint", "linear")
    rows = [
        [
            f"{beta:g}",
            *(
                " / ".join(
                    results.over(mark("betas", f"beta-{beta}-{loss}", key)).told(1 if key == "margin" else 2)
                    for key in ("margin", "chosen_reward")
                )
                for loss in losses
            ),
        ]
        for beta in BETAS
    ]
    yield from table(["beta", *(f"{loss}: margin / chosen" for loss in losses)], rows)


def table_10(results: Results) -> Iterator[str]:
    """Yield how far the judge is from the rule, before and after it was corrected."""
    wanted = ("bias", "mean absolute difference", "Spearman's rho", "pairs in the same order")
    rows = []
    for dimension in (None, *DIMENSIONS):
        unit = "agreement by dimension" if dimension else "agreement"
        row = [dimension or "**all**"]
        for name in wanted:
            told = [_agreed(results, unit, name, judge, dimension) for judge in ("careless", "corrected")]
            row.append(" → ".join("-" if one is None else one.told() for one in told))
        rows.append(row)
    yield from table(["dimension", *wanted], rows)


def agreed(seed: Seed, unit: str, name: str, judge: str, dimension: str | None) -> float | None:
    """Return one figure of agreement of a judge with the rule, or None where the report has none."""
    for section, figure, subject, value, _ in seed["correction"][unit]:
        told = section in {"both judges", "compared"} and figure == name and subject.get("judge") == judge
        if told and subject.get("dimension") == dimension and value is not None:
            return float(value)
    return None


def _agreed(results: Results, unit: str, name: str, judge: str, dimension: str | None) -> Estimate | None:
    found = [agreed(seed, unit, name, judge, dimension) for seed in results.seeds]
    if any(value is None for value in found):
        return None
    return results.over(lambda seed: float(agreed(seed, unit, name, judge, dimension) or 0.0))


def outcomes(results: Results) -> Iterator[str]:
    """Yield which answers were mended or broken by the correction of the judge (App. D.2), all seeds together."""
    counts: dict[str, int] = {}
    for seed in results.seeds:
        for section, name, _, _, n in seed["correction"]["agreement"]:
            if section == "outcomes" and "McNemar" not in name:
                counts[name] = counts.get(name, 0) + n
    yield from table(list(counts), [[str(n) for n in counts.values()]])


def unread(results: Results) -> Iterator[str]:
    """Yield how many of each judge's words held no score."""
    for judge in ("careless", "corrected"):
        counts = {False: 0, True: 0}
        for seed in results.seeds:
            for who, outcome, n in seed["correction"]["read"]:
                counts[outcome == "ok"] += n if who == judge else 0
        yield f"No score could be read in {counts[False]} of {sum(counts.values())} judgements by the {judge} judge."


def examples(results: Results) -> Iterator[str]:
    """Yield a few judgements of the first seed before and after, as Tables 10 and 11 do."""
    rows = []
    for prompt, answer, dimension, before, after, rule, said_before, said_after in results.seeds[0]["correction"][
        "examples"
    ]:
        told = [f"{score:g} ({words.splitlines()[0]})" if score is not None else f"none ({words[:20]!r})"
                for score, words in ((before, said_before), (after, said_after))]  # fmt: skip
        rows.append([f"`{prompt}`", f"`{answer}`", dimension, *told, f"{rule:g}"])
    yield from table(["prompt", "answer", "dimension", "before", "after", "rule"], rows)


def shape(results: Results) -> Iterator[str]:
    """Yield the figures of the shapes of the rule's scores (Fig. 5)."""
    rows = []
    for name in dict.fromkeys(name for seed in results.seeds for name, *_ in seed["correction"]["shapes"]["rule"]):
        values = [shape_figure(seed, "rule", name) for seed in results.seeds]
        if all(value is not None for value in values):
            rows.append([name, estimate([float(value or 0) for value in values]).told()])
    yield from table(["figure", "value"], rows)


def shape_figure(seed: Seed, judge: str, name: str) -> float | None:
    """Return one figure of the shapes of a judge's scores."""
    value = next((value for found, value, _ in seed["correction"]["shapes"][judge] if found == name), None)
    return None if value is None else float(value)


def _share(value: Estimate) -> str:
    return f"{Estimate(100 * value.mean, 100 * value.half, value.n).told(0)} %"
