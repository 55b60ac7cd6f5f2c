"""What `generate` prints for people: the plan, and the sums that reconcile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .report import columns

if TYPE_CHECKING:
    from tsodata.generating import CellPlan, CellReport
    from tsodata.runner import Sums

_ENDINGS = {
    "interrupted": "interrupted",
    "parked": "parked",
    "budget": "stopped",
    "unauthorised": "stopped",
    "unusable": "stopped",
}


def plan_lines(plans: Sequence[CellPlan]) -> Iterator[str]:
    """Yield what each cell lacks, and the most that it can cost."""
    rows = [["cell", "model", "prompts", "requests", "stale", "prompt tokens", "answer tokens", "US dollars"]]
    for plan in plans:
        usd = "-" if plan.max_usd is None else f"≤ {plan.max_usd:,.2f}"
        rows.append(
            [
                plan.cell,
                f"{plan.model} ({plan.engine})",
                f"{plan.n_prompts}",
                f"{plan.n_requests}",
                f"{plan.n_stale}",
                f"~{plan.n_prompt_tokens:,}",
                f"≤ {plan.max_completion_tokens:,}",
                usd,
            ]
        )
    yield from columns(rows, to_the_left=(1,))
    total = sum(plan.n_requests for plan in plans)
    known = [plan.max_usd for plan in plans if plan.max_usd is not None]
    cost = f", at most {sum(known):,.2f} US dollars" if known else ""
    yield f"{total} requests{cost}; prompt tokens are estimated, 4 characters each"


def report_lines(reports: Sequence[CellReport]) -> Iterator[str]:
    """Yield what came of each cell."""
    for report in reports:
        sums = report.sums
        yield (
            f"{report.cell}: {report.n_lacking} lacking = {sums.n_done} answered + {sums.n_failed} failed + "
            f"{report.n_left} left + {report.skipped.total()} skipped{reasons(report.skipped)}"
        )
        if report.n_rows is not None:
            yield file_line(report.n_rows, sums, report.unplaced)
        if sums.failures:
            yield f"  attempts that failed: {sums.failures.total()}{reasons(sums.failures)}"
        if sums.n_tokens:
            cost = "" if sums.usd is None else f", {sums.usd:,.4f} US dollars"
            yield f"  tokens: {sums.n_prompt_tokens:,} of prompts + {sums.n_completion_tokens:,} of answers{cost}"
        if sums.ending in _ENDINGS:
            yield f"  {_ENDINGS[sums.ending]}{f': {sums.detail}' if sums.detail else ''}"
    if any(report.sums.failures for report in reports):
        yield 'every failure: tso-data sql "select * from v_calls where not is_accepted"'


def file_line(n_rows: int, sums: Sums, unplaced: Mapping[str, int]) -> str:
    """Return what came of the lines of a batch file."""
    return (
        f"  lines of the file: {n_rows} = {sums.n_done} answered + {sums.n_failed} failed + "
        f"{sum(unplaced.values())} others{reasons(unplaced)}"
    )


def reasons(counts: Mapping[Any, int]) -> str:
    """Return counts by reason, the most frequent first, in brackets; nothing where there are none."""
    found = Counter(counts).most_common()
    return f" ({', '.join(f'{n} {reason}' for reason, n in found)})" if found else ""
