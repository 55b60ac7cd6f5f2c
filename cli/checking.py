"""Whether the store is whole: `check`, and `recover` where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from .exits import ExitCode, guarded
from .opening import open_store, print_json
from .options import AsJson, StorePath, Wait

if TYPE_CHECKING:
    from tsodata.checks import CheckReport
    from tsodata.recovery import Recovery


@guarded
def check(
    since: Annotated[
        str | None, typer.Option(metavar="RUN", help="Only what this run and later ones added.", show_default="all")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Do not make keys again from content, nine tenths of the work.")
    ] = False,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Run every check of docs/checks.md, read-only. Exit code 1 where a rule is broken; notices break none."""
    from tsodata.checks import check_store
    from tsodata.checks.running import SHOWN_ROWS

    n_shown = None if as_json else SHOWN_ROWS
    report = check_store(open_store(store, wait), since=since, n_shown=n_shown, keys=not quick)
    if as_json:
        found = [
            {"check": f.check.name, "level": f.check.level, "question": f.check.question, "fault": f.check.fault,
             "n_rows": f.n_rows, "rows": f.first_rows}
            for f in report.findings
        ]  # fmt: skip
        print_json({"is_clean": report.is_clean, "first_commit": report.first_seq, "last_commit": report.last_seq,
                    "n_checks": report.n_checks, "findings": found})  # fmt: skip
    else:
        print(*check_lines(report), sep="\n")
    if not report.is_clean:
        raise typer.Exit(ExitCode.REFUSED)


@guarded
def recover(store: StorePath = None, wait: Wait = None) -> None:
    """Go on with a store whose log is broken or lost: keep the log under another name, and record what is missing."""
    from tsodata.recovery import recover as recover_store
    from tsodata.store import Store

    found = recover_store(Store.at(store, wait_s=wait))
    print(*(recovery_lines(found) if found else ["nothing is missing, and nothing was changed"]), sep="\n")


def check_lines(report: CheckReport) -> Iterator[str]:
    """Yield what a check found, for people."""
    verdict = "clean" if report.is_clean else "rules are broken"
    span = f"commits {report.first_seq} to {report.last_seq}"
    yield f"{report.store_path}: {report.n_checks} checks on {span}: {verdict}"
    for finding in report.findings:
        yield ""
        yield f"{finding.check.level} {finding.check.name}: {finding.n_rows}. {finding.check.question}"
        yield f"  guards against: {finding.check.fault}"
        for row in finding.first_rows:
            yield "  " + ", ".join(f"{name} {value}" for name, value in row.items() if value is not None)
        if finding.n_rows > len(finding.first_rows):
            yield f"  … and {finding.n_rows - len(finding.first_rows)} more; --json has all"


def recovery_lines(recovery: Recovery) -> Iterator[str]:
    """Yield what is left and what is lost, for people."""
    yield f"the store goes on from commit {recovery.last_commit}"
    if recovery.stored_commit is not None:
        yield f"commit {recovery.stored_commit} had been stored; what it and those before it held is to be added again"
    if recovery.set_aside is not None:
        yield f"the log is kept as {recovery.set_aside}"
