"""What commands print for people: plain text from what the library returns. Knows no rule of the domain."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tsodata.records import format_size

if TYPE_CHECKING:
    from tsodata.builds import Build
    from tsodata.coverage import CellCoverage, Coverage
    from tsodata.exporters import ExportReport
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
_RAW_WIDTH = 100
_TEXT_CHARS = 600
_COMMAND_CHARS = 160  # v_runs has all of it


def columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows of texts as aligned columns, the first to the left, the others to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
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


def build_lines(build: Build) -> Iterator[str]:
    """Yield what a build holds and how the draw went."""
    there = " (already there)" if build.already_there else ""
    yield f"build {build.name}{there}: {build.n_pairs} pairs on {build.n_prompts} prompts, base {build.base}"
    yield f"{build.build_id} = snapshot {build.snapshot_id}, seed {build.seed}"
    sizes = " + ".join(str(n) for n in build.minibatches)
    yield f"minibatches: {sizes} prompts; held out: {build.n_held_out}"
    for pool, side in sorted({(share.pool, share.side) for share in build.shares}):
        yield ""
        yield from _share_lines(build, pool, side)
    yield ""
    skipped = [f"{n} {reason}" for reason, n in build.outcomes.items() if reason != "paired"]
    yield f"prompts: {build.outcomes.get('paired', 0)} paired; skipped: {', '.join(skipped) or 'none'}"


def _share_lines(build: Build, pool: str, side: str) -> Iterator[str]:
    test = build.test(pool, side)
    verdict = f"χ² {test.statistic:.2f} on {test.dof} dof, p = {test.p:.2f}" if test else "by score"
    yield f"pool {pool}, {side}: {verdict}; effective number of sources {build.effective_sources(pool, side):.2f}"
    shares = build.side(pool, side)
    total = sum(share.realised for share in shares)
    rows = [["  source", "asked", "to expect", "drawn", "share"]]
    for share in shares:
        asked = "" if share.requested is None else f"{share.requested:.1%}"
        expected = "" if share.expected is None else f"{share.expected:.1f}"
        rows.append(
            [
                f"  {share.source}",
                asked,
                expected,
                str(share.realised),
                f"{share.realised / total:.1%}" if total else "",
            ]
        )
    yield from columns(rows)


def export_lines(report: ExportReport) -> Iterator[str]:
    """Yield what an export wrote."""
    done = "already there" if report.already_there else "written"
    rows = ", ".join(f"{split} {n}" for split, n in report.rows.items())
    yield f"{report.directory} {done} as {report.format}: {rows} rows; refused: {report.refused.total()}"
    for reason, n in report.refused.most_common():
        yield f"  {n} {reason}"


def explain_lines(story: dict[str, Any]) -> Iterator[str]:
    """Yield the story of a pair."""
    prompt = story["prompt"]
    yield f"{story['pair_id']}: chosen {story['chosen']['source']}, rejected {story['rejected']['source']}"
    origins = sorted({f"{o['dataset']} {o['external_id'] or ''}".strip() for o in prompt["origins"] or []})
    yield f"prompt {prompt['prompt_id']} ({', '.join(origins) or 'no origin'})"
    for message in prompt["messages"]:
        yield from _indented(f"[{message['role']}] {message['content']}")
    for build in story["builds"]:
        yield ""
        yield from _build_story(build)
    for side in ("chosen", "rejected"):
        yield ""
        yield from _side_story(side, story[side])


def _build_story(build: dict[str, Any]) -> Iterator[str]:
    place = "held out" if build["split"] == "held_out" else f"minibatch {build['minibatch']}"
    yield f"in build {build['build']}, pool {build['pool']}, {place}, base {build['base']}"
    yield f"  why: {build['why']}"
    for side, runners in build["draw"].items():
        rows = [[f"  {side} candidates", "weight", "arrival"]]
        rows += [
            [f"    {r['source']} {r['response_id']}", f"{r['weight']:.3f}", f"{r['arrival']:.4f}"] for r in runners
        ]
        yield from columns(rows)
    yield f"  made by {build['run_id']}: {_short(build['command'])}"


def _side_story(name: str, side: dict[str, Any]) -> Iterator[str]:
    kind = "people" if side["source_kind"] == "human" else "model"
    yield f"{name} {side['response_id']} by {side['source']} ({kind})"
    yield from _indented(side["text"])
    settings = f", settings {side['settings'][:_RAW_WIDTH]}" if side["settings"] else ""
    yield f"  from {side['file'] or 'no file'}, {side['run_id']}: {_short(side['command'])}{settings}"
    for score in side["scores"]:
        value = f"no score ({score['reason']})" if score["value"] is None else f"{score['value']:g}"
        yield f"  score {value}: {score['judge']}, {score['rubric']}, {score['dimension']} (parser {score['parser']})"
        yield from _raw(score["raw"])
    for verdict in side["preferences"]:
        value = f"none ({verdict['reason']})" if verdict["preference"] is None else f"{verdict['preference']:.4f}"
        yield f"  preferred over {verdict['against']}: {value}, {verdict['judge']}, {verdict['rubric']}"
        yield from _raw(verdict["raw"])
    for correction in side["corrections"]:
        why = f": {correction['reason']}" if correction["reason"] else ""
        yield f"  corrected to {correction['value']:g} by {correction['author']}, {correction['dimension']}{why}"
    if not side["scores"] and not side["preferences"]:
        yield "  no judge has seen it"


def _short(command: str) -> str:
    return textwrap.shorten(command, _COMMAND_CHARS, placeholder=" …")


def _raw(words: str | None) -> Iterator[str]:
    if words is None:
        yield "    (the judge's raw words were not handed in)"
        return
    for line in textwrap.wrap(json.dumps(words, ensure_ascii=False), _RAW_WIDTH)[:12]:
        yield f"    {line}"


def _indented(text: str) -> Iterator[str]:
    shown = text if len(text) <= _TEXT_CHARS else f"{text[:_TEXT_CHARS]}… ({len(text)} characters)"
    for line in shown.splitlines() or [""]:
        yield from (f"  | {part}" for part in textwrap.wrap(line, _RAW_WIDTH) or [""])
