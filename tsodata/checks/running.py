"""Runs every check on a store, each on a reader of its own, so that writers get in between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tsodata.checks.check import Check, Finding, sql_checks
from tsodata.checks.exports import EXPORT_CHECKS
from tsodata.checks.keys import KEY_CHECKS
from tsodata.checks.marks import MARK_CHECKS
from tsodata.errors import UnknownNameError
from tsodata.provenance import parse_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tsodata.store import Store

SHOWN_ROWS = 5  # ours: enough to see the pattern


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was checked, from which commit to which, and the checks that found something."""

    store_path: Path
    first_seq: int
    last_seq: int
    n_checks: int
    findings: Sequence[Finding]

    @property
    def is_clean(self) -> bool:
        """Say whether no rule is broken; notices break none."""
        return not any(finding.check.level == "violation" for finding in self.findings)


def every_check() -> list[Check]:
    """Return all checks, by name."""
    return sorted((*sql_checks(), *KEY_CHECKS, *EXPORT_CHECKS, *MARK_CHECKS), key=lambda check: check.name)


def check_store(
    store: Store, *, since: str | None = None, n_shown: int | None = SHOWN_ROWS, keys: bool = True
) -> CheckReport:
    """Run every check and return what was found: violations first, `n_shown` rows of each, or all where it is None.

    With `since`, only what a run and later ones have added is looked at. Without `keys`, no record is made again from
    its content to compare the keys, which is nine tenths of the work.

    Raises:
        UnknownNameError: the store has no run of this id.
    """
    first_seq = _first_commit(store, since)
    with store.reader() as reader:
        last_seq = reader.snapshot().commit_seq
    checks = [check for check in every_check() if keys or check not in KEY_CHECKS]
    findings = [finding for check in checks if (finding := _run(store, check, first_seq, n_shown)).n_rows]
    findings.sort(key=lambda finding: (finding.check.level != "violation", finding.check.name))
    return CheckReport(store.path, first_seq, last_seq, len(checks), findings)


def _run(store: Store, check: Check, first_seq: int, n_shown: int | None) -> Finding:
    finding = Finding(check)
    for row in check.find(store, first_seq):
        if n_shown is None or finding.n_rows < n_shown:
            finding.first_rows.append(row)
        finding.n_rows += 1
    return finding


def _first_commit(store: Store, run: str | None) -> int:
    if run is None:
        return 1
    with store.reader() as reader:
        first = reader.rows("store/first_commit", run=parse_id("run", run))[0][0]
    if first is None:
        raise UnknownNameError(f"no run {run}; the view v_runs has them all")
    return int(first)
