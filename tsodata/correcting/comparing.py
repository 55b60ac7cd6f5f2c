"""Two judges side by side, as before and after correction (App. D.2): which figures moved, and which answers changed.

A judge is right about an answer where it says good and those who were asked say good, or neither does. Whether as many
answers were broken as were mended is McNemar's test, exact.
"""

from __future__ import annotations

from collections.abc import Iterator

from tsodata.correcting.agreement import (
    AgreementQuestion,
    AgreementReport,
    check_grouping,
    check_judges,
    nothing_common,
    pair_angle,
    score_angle,
)
from tsodata.correcting.figures import DISTANCES, MEANS, Angle, Scene, interval
from tsodata.errors import UsageError
from tsodata.stats.figures import Figure
from tsodata.stats.listing import Listing
from tsodata.store import Store

MENDED, BROKEN = ("good one rescued", "bad one caught"), "newly broken"
NO_LIMIT = "no limit"
NAMES = (*DISTANCES, *MEANS)
OUTCOMES = (*MENDED, BROKEN, "wrong with both", "right with both")


def mcnemar(n_mended: int, n_broken: int) -> float:
    """Return the two-sided exact p of McNemar's test: as many mended as broken, as by a fair coin.

    2 P(X <= min) with X binomial(mended + broken, 1/2), at most 1 (McNemar 1947; Fagerland et al. 2013).
    """
    n, fewest = n_mended + n_broken, min(n_mended, n_broken)
    term = total = 1
    for k in range(1, fewest + 1):
        term = term * (n - k + 1) // k
        total += term
    return min(1.0, 2 * total / (1 << n))


def compare_judges(store: Store, question: AgreementQuestion, *, good_from: float | None = None) -> AgreementReport:
    """Return what moved from the first judge to the second, over the answers that both have scored.

    `good_from` is the score from which an answer is good; left out, the middle of the rubric's scale.

    Raises:
        UnknownNameError: a judge, a rubric or a grouping of that name is not there.
        UsageError: they have no answers in common, or the rubric has no scale and `good_from` is left out.
    """
    check_grouping(question)
    before, after = question.judges
    with store.reader() as reader:
        check_judges(reader, question)
        scene = Scene.of(reader, question.seed)
        figures = [*_moved(scene, question)]
        if not figures:
            raise nothing_common(question)
        figures += _outcomes(scene, question, good_from)
    return AgreementReport((before, after), question.against, question.seed, tuple(figures))


def _moved(scene: Scene, question: AgreementQuestion) -> Iterator[Figure]:
    before, after = question.judges
    marked = Listing("agreement/scores", question.values)
    scene.keep("marked", marked)
    common = Listing("compared/common", {"before": before, "after": after}, (("marked", marked),))
    angle = Angle("both judges", "compared", common, ("judge", *question.by))
    scene.keep(angle.table, angle.listing)
    scene.replicate_distances(angle)
    yield from scene.figures(angle, list(DISTANCES))
    yield from _differences(scene, angle, question)
    if scene.sizes:
        pairs = pair_angle(angle, question)
        scene.keep(pairs.table, pairs.listing)
        scene.replicate_mean(pairs, "pairs")
        yield from scene.figures(pairs, ["pairs"])
        yield from _differences(scene, pairs, question)


def _differences(scene: Scene, angle: Angle, question: AgreementQuestion) -> Iterator[Figure]:
    before, after = question.judges
    rows = scene.reader.rows("summaries/moved", before=before, after=after)
    for rest, figure, value, low, high in sorted(rows, key=lambda row: (row[0], NAMES.index(row[1]))):
        n, n_blocks = scene.sizes[after, *rest]
        moved = Angle("moved", angle.table, angle.listing, angle.by)
        by = dict(zip(angle.by, (after, *rest), strict=True))
        between = interval(low, high) if n_blocks > 1 else None
        yield scene.figure(moved, figure, value, n=n, by=by, interval=between)


def _outcomes(scene: Scene, question: AgreementQuestion, good_from: float | None) -> Iterator[Figure]:
    before, after = question.judges
    under = (("compared", score_angle(question).listing),)
    values = {"before": before, "after": after, "good_from": good_from}
    angle = Angle("outcomes", "outcomes", Listing("compared/outcomes", values, under), question.by)
    scene.keep(angle.table, angle.listing)
    subject = f"[{', '.join(angle.by)}]::varchar[] as subject"
    scene.reader.define("listed", f"select {subject}, outcome from outcomes")
    counts: dict[tuple[str, ...], dict[str, int]] = {}
    for found, outcome, n in scene.reader.rows("summaries/outcomes"):
        counts.setdefault(tuple(found), {})[outcome] = int(n)
    if any(NO_LIMIT in by_outcome for by_outcome in counts.values()):
        raise UsageError("the rubric has no scale, so nothing says from where an answer is good; pass --good-from")
    for found, by_outcome in counts.items():
        by = dict(zip(question.by, found, strict=True))
        for outcome in OUTCOMES:
            n = by_outcome.get(outcome, 0)
            yield _count(angle, outcome, float(n), n=n, by={**by, "outcome": outcome})
        n_mended, n_broken = sum(by_outcome.get(name, 0) for name in MENDED), by_outcome.get(BROKEN, 0)
        p = mcnemar(n_mended, n_broken)
        yield _count(angle, "McNemar's exact p", p, n=n_mended + n_broken, by=by)


def _count(angle: Angle, name: str, value: float, *, n: int, by: dict[str, str]) -> Figure:
    is_test = "outcome" not in by
    return Figure(
        section=angle.section,
        name=name,
        unit="probability" if is_test else "answers",
        subject={key: label for key, label in by.items() if key != "outcome"},
        value=value,
        n=n,
        sql=angle.listing.statement("is_changed" if is_test else "outcome", by),
    )
