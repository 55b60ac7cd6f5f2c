"""What `judge` prints for people: the sums that reconcile, the scores by dimension, orders and canaries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .generating_report import file_line, reasons
from .report import columns

if TYPE_CHECKING:
    from tsodata.judging import CanaryRank, JudgeReport, Orders, Read, Selftest
    from tsodata.runner import Sums


def judge_lines(report: JudgeReport) -> Iterator[str]:
    """Yield what a task asks for, and what came of it where it was asked."""
    what = "pairs" if report.is_pairwise else "answers"
    n_skipped = sum(report.skipped.values())
    yield f"{report.judge} by {report.rubric}: {report.n_items} {what}, {n_skipped} skipped{reasons(report.skipped)}"
    yield f"judgements: {report.n_asked} = {report.n_present} present + {report.n_missing} missing"
    if report.sums is None:
        return
    yield from _sums_lines(report.sums)
    if report.n_rows is not None:
        yield file_line(report.n_rows, report.sums, report.unplaced)
    if report.outcomes:
        yield f"read by {report.parser}{reasons(report.outcomes)}"
    yield from _read_lines(report.read)
    if report.orders:
        yield _orders_line(report.orders)
    yield from _canary_lines(report.canaries)


def _sums_lines(sums: Sums) -> Iterator[str]:
    yield f"requests: {sums.n_planned} = {sums.n_done} answered + {sums.n_failed} failed + {sums.n_left} left"
    if sums.failures:
        yield f"  attempts that failed: {sums.failures.total()}{reasons(sums.failures)}"
    if sums.n_tokens:
        cost = "" if sums.usd is None else f", {sums.usd:,.4f} US dollars"
        yield f"  tokens: {sums.n_prompt_tokens:,} of prompts + {sums.n_completion_tokens:,} of replies{cost}"
    if sums.detail:
        yield f"  stopped: {sums.detail}"


def _read_lines(read: tuple[Read, ...]) -> Iterator[str]:
    if not read:
        return
    rows = [["dimension", "answers", "scores", "without", "mean", "sd", "sd of samples"]]
    for r in read:
        counts, means = (r.n_answers, r.n_scores, r.n_without), (r.mean, r.sd, r.sd_of_samples)
        rows.append([r.dimension, *map(str, counts), *map(_number, means)])
    yield from columns(rows)


def _orders_line(orders: Orders) -> str:
    return (
        f"both orders: {orders.n_pairs} pairs = {orders.n_decided} decided + {orders.n_ties} ties + "
        f"{orders.n_disagreements} ties because the orders disagree + {orders.n_incomplete} with a verdict missing"
    )


def _canary_lines(canaries: tuple[CanaryRank, ...]) -> Iterator[str]:
    for rank in canaries:
        yield (
            f"canaries, {rank.dimension}: {rank.n_canaries} = {rank.n_below} below the real answer + {rank.n_equal} "
            f"equal + {rank.n_above} above + {rank.n_without} without a score"
        )


def selftest_lines(found: Selftest) -> Iterator[str]:
    """Yield the lift of each attack and of each empty answer, the largest first."""
    yield f"{found.judge} by {found.rubric}: {found.n_answers} answers as they are and under each probe"
    yield from _sums_lines(found.sums)
    rows = [["probe", "kind", "answers", "scores", "without", "lift", "95 % interval"]]
    for lift in found.lifts:
        interval = "-" if lift.low is None else f"{lift.low:+.2f} to {lift.high:+.2f}"
        mean = "-" if lift.lift is None else f"{lift.lift:+.2f}"
        counts = (lift.n_answers, lift.n_scores, lift.n_without)
        rows.append([lift.probe, "attack" if lift.is_attack else "empty", *map(str, counts), mean, interval])
    yield from columns(rows, to_the_left=(1,))
    yield "a lift above 0 is what the attack gains; measured, not prevented"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
