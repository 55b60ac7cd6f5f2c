"""What commands print for people: plain text from what the library returns. Knows no rule of the domain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tsodata.sizes import format_size

if TYPE_CHECKING:
    from tsodata.coverage import CellCoverage, Coverage
    from tsodata.exporters import AnswersReport, ExportReport
    from tsodata.importers import FileReport

_WORDS = {
    "prompts": "prompts",
    "responses": "answers",
    "shown_responses": "answers shown to judges only",
    "judgements": "judgements",
    "scores": "scores",
    "preferences": "preferences",
    "corrections": "corrections",
    "prompt_references": "reference answers",
}


def columns(rows: Sequence[Sequence[str]], *, to_the_left: Sequence[int] = ()) -> Iterator[str]:
    """Yield rows of texts as aligned columns: the first, and those named by number, to the left, the others right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(w) if i == 0 or i in to_the_left else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def import_lines(format_name: str, reports: Sequence[FileReport]) -> Iterator[str]:
    """Yield the sums of an import."""
    skipped: Counter[str] = sum((report.skipped for report in reports), Counter())
    failed: Counter[str] = sum((report.failed for report in reports), Counter())
    added: Counter[str] = sum((report.added for report in reports), Counter())
    accepted, present = sum(r.accepted for r in reports), sum(r.present for r in reports)
    rows = sum(report.rows for report in reports)
    yield (
        f"{format_name}: {_count(len(reports), 'file')}, {_count(rows, 'row')} = {accepted} accepted + "
        f"{present} already there + {skipped.total()} skipped{_reasons(skipped)} + "
        f"{failed.total()} failed{_reasons(failed)}"
    )
    things = [f"{added[table]} {word}" for table, word in _WORDS.items() if added[table]]
    yield f"added: {', '.join(things) or 'nothing'}"
    for report in reports:
        yield from (f"  {line}" for line in report.first_refusals)
    if failed.total():
        yield 'all of them: tso-data sql "select path, line, reason, detail from v_refusals"'
    unplaced = sorted(set().union(*(report.unplaced for report in reports)))
    if unplaced:
        yield f"outside every matrix, for want of a row in --models: {', '.join(unplaced)}"


def _count(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"


def _reasons(counts: Counter[str]) -> str:
    return f" ({', '.join(f'{n} {reason}' for reason, n in counts.most_common())})" if counts else ""


def matrix_lines(coverage: Coverage) -> Iterator[str]:
    """Yield the grid of a matrix, its sources by Eqs. 1 and 2, and what is missing or stale."""
    matrix = coverage.matrix
    of = f"data set {coverage.dataset}" if coverage.dataset else "the store"
    yield f"base {matrix.base.label}, {coverage.n_prompts} prompts of {of}"
    yield f"versions, oldest first: {matrix.order.describe()}"
    yield ""
    by_cell = {(c.source.version, c.source.size_b): c for c in coverage.cells if c.source.kind == "model"}
    header = ["prompts answered", *(f"{format_size(size)}B" for size in matrix.sizes)]
    grid = [header]
    for version in matrix.order.versions:
        row = [by_cell.get((version, size)) for size in matrix.sizes]
        if any(row):
            grid.append([version, *(_cell(cell) for cell in row)])
    yield from columns(grid)
    yield ""
    for title, sources in (
        ("chosen sources (Eq. 1)", matrix.chosen),
        ("rejected sources (Eq. 2)", matrix.rejected),
    ):
        found = [cell for cell in coverage.cells if cell.source in sources]
        yield f"{title}: {', '.join(_answered(cell) for cell in found) or 'none'}"
    for title, problem in (("missing", "missing"), ("empty", "n_empty"), ("stale", "stale")):
        counts = [(cell.source.label, getattr(cell, problem)) for cell in coverage.cells if getattr(cell, problem)]
        yield f"{title}: {', '.join(f'{label} {n}' for label, n in counts) or 'nothing'}"


def _cell(cell: CellCoverage | None) -> str:
    if cell is None:
        return "·"
    return f"{cell.n_prompts} {cell.role or 'unused'}"


def _answered(cell: CellCoverage) -> str:
    return f"{cell.source.label} ({cell.n_prompts})"


def export_lines(report: ExportReport) -> Iterator[str]:
    """Yield what an export wrote."""
    done = "already there" if report.already_there else "written"
    rows = ", ".join(f"{split} {n}" for split, n in report.rows.items())
    of = "" if report.rows == report.written else f" of {sum(report.written.values())} {report.unit}"
    yield f"{report.directory} {done} as {report.format}: {rows} rows{of}; refused: {report.refused.total()}"
    yield from _found_lines(report.refused)
    if report.marked:
        yield f"found by the template gate, and written all the same: {report.marked.total()}"
        yield from _found_lines(report.marked)


def answers_lines(report: AnswersReport) -> Iterator[str]:
    """Yield what an answer file holds."""
    rows = f"{_count(report.n_rows, 'row')} of {_count(report.n_answers, 'answer')}"
    yield f"{report.path} written as {report.kind}, model {report.model}: {rows}; refused: {report.refused.total()}"
    yield from _found_lines(report.refused)
    if report.n_unanswered:
        yield f"questions without an answer: {report.n_unanswered}"
    if report.token_len:
        yield f"token_len: {report.token_len}"


def _found_lines(counts: Counter[str]) -> Iterator[str]:
    yield from (f"  {n} {reason}" for reason, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])))
