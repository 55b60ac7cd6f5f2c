"""What the commands that draw, compare and explain builds print for people. Knows no rule of the domain."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .report import columns

if TYPE_CHECKING:
    from tsodata.builds import Build, BuildDiff, Shortfall, Verification

_RAW_WIDTH = 100
_TEXT_CHARS = 600
_COMMAND_CHARS = 160  # v_runs has all of it
_RACE_COLUMNS = ("weight", "arrival")
_DRAW_COLUMNS = {
    "candidates": ("n_answers", "score", "rank", "chosen_number", "rejected_number"),
    "accepted": ("score", "best", "chance", "number", "step", "pass"),
    "compared": ("preference", "n_verdicts", "number"),
}
_FORMATS = {"score": "g", "best": "g", "weight": ".3f"}


def build_lines(build: Build) -> Iterator[str]:
    """Yield what a build holds and how the draw went."""
    there = " (already there)" if build.already_there else ""
    held = f"{build.n_pairs} pairs" if build.n_pairs else f"{build.n_responses} answers"
    yield f"build {build.name}{there}: {held} on {build.n_prompts} prompts, {_based(build.base)}"
    yield f"{build.build_id} = snapshot {build.snapshot_id}, seed {build.seed}"
    sizes = " + ".join(str(n) for n in build.minibatches)
    yield f"minibatches: {sizes} prompts; held out: {build.n_held_out}"
    for pool, side in sorted({(share.pool, share.side) for share in build.shares}):
        yield ""
        yield from _share_lines(build, pool, side)
    if build.strata:
        yield ""
        yield from _strata_lines(build)
    yield ""
    done = "paired" if build.n_pairs else "selected"
    skipped = [f"{n} {reason}" for reason, n in build.outcomes.items() if reason != done]
    yield f"prompts: {build.outcomes.get(done, 0)} {done}; skipped: {', '.join(skipped) or 'none'}"


def _based(base: str) -> str:
    return f"base {base}" if base else "no base"


def _strata_lines(build: Build) -> Iterator[str]:
    totals: Counter[str] = Counter()
    for row in build.strata:
        totals[row.pool] += row.realised
    rows = [["stratum", "pool", "asked", "available", "drawn", "share"]]
    for row in build.strata:
        share = f"{row.realised / totals[row.pool]:.1%}" if totals[row.pool] else ""
        rows.append([row.stratum, row.pool, f"{row.requested:.1%}", str(row.available), str(row.realised), share])
    yield from columns(rows)


def _share_lines(build: Build, pool: str, side: str) -> Iterator[str]:
    test = build.test(pool, side)
    unweighted = "by verdict" if build.draws[pool] == "preferred" else "by score"
    how = f"χ² {test.statistic:.2f} on {test.dof} dof, p = {test.p:.2f}" if test else unweighted
    yield f"pool {pool}, {side}: {how}; effective number of sources {build.effective_sources(pool, side):.2f}"
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


def shortfall_lines(shortfall: Shortfall) -> Iterator[str]:
    """Yield what a build would need to give what was asked for."""
    unit = "pairs" if shortfall.makes == "pairs" else "prompts"
    asked = f"{shortfall.target} {unit} asked for" if shortfall.target else f"all {unit} in their shares asked for"
    yield f"{asked}; {shortfall.reachable} can be had now"
    left_out = ", ".join(f"{n} {reason}" for reason, n in shortfall.ineligible.items()) or "none"
    yield f"prompts: {shortfall.n_eligible} eligible; left out: {left_out}"
    for pool in shortfall.pools:
        cell = pool.cell
        missing = max(cell.wanted - cell.available, 1)
        yield ""
        yield f"{cell.name}: {cell.available} of {cell.wanted} {unit}; {missing} are missing"
        yield f"  needed: at least {pool.prompts_needed} more prompts that give {unit} here"
        reasons = ", ".join(f"{n} {reason}" for reason, n in pool.reasons.items()) or "none"
        yield f"  eligible prompts that give none: {reasons}"
        lacking = ", ".join(f"{source} on {n}" for source, n in pool.unanswered.items()) or "nowhere"
        yield f"  answers lacking on eligible prompts: {lacking}"


def diff_lines(diff: BuildDiff) -> Iterator[str]:
    """Yield what differs between two builds."""
    counts = ", ".join(f"{n} {change}" for change, n in diff.counts.items())
    yield f"{diff.before} -> {diff.after}: {counts}"
    yield f"of those in both: {diff.n_other_split} in another split, {diff.n_other_minibatch} in another minibatch"
    gained = [f"{row.n_prompts} {row.change} ({row.reason} in the other)" for row in diff.prompts]
    yield f"prompts: {', '.join(gained) or 'the same'}"
    yield ""
    rows = [["figure", "mean before", "mean after", "median before", "median after"]]
    for name, figures in diff.figures.items():
        means = [_number(figure and figure.mean) for figure in figures]
        rows.append([name, *means, *(_number(figure and figure.median) for figure in figures)])
    yield from columns(rows)
    changed = [row for row in diff.by_source if row.change != "kept"]
    if changed:
        yield ""
        table = [["change", "chosen", "rejected", "pairs"]]
        table += [[row.change, row.chosen_source, row.rejected_source or "", str(row.n_pairs)] for row in changed]
        yield from columns(table)
    yield ""
    yield f"the rows: tso-data diff {diff.before} {diff.after} --rows"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def verification_lines(verification: Verification) -> Iterator[str]:
    """Yield what came of drawing a build again."""
    verdict = "equal" if verification.is_equal else "NOT equal"
    yield f"build {verification.build} ({verification.build_id}), drawn again: {verdict}"
    if not verification.snapshot_holds:
        yield "  the material up to its snapshot is not what it was: rows are gone, or were added to old commits"
    if not verification.id_holds:
        yield "  its recipe, seed and snapshot do not give its id: one of them was changed in the store"
    if verification.stopped:
        yield f"  the draw stopped: {verification.stopped}"
    for check in verification.tables:
        if check.is_equal:
            yield f"  {check.table}: {check.n_stored} rows, the same"
            continue
        where = f", such as {', '.join(check.example_prompts)}" if check.example_prompts else ""
        yield (
            f"  {check.table}: {check.n_stored} rows stored, {check.n_redrawn} drawn again; {check.only_stored} only "
            f"stored, {check.only_redrawn} only drawn again{where}"
        )


def explain_lines(story: dict[str, Any]) -> Iterator[str]:
    """Yield the story of a pair, or of an answer of a build without pairs."""
    prompt = story["prompt"]
    sides = [side for side in ("chosen", "rejected", "answer") if side in story]
    named = ", ".join(f"{side} {story[side]['source']}" for side in sides)
    yield f"{story.get('pair_id') or story['response_id']}: {named}"
    origins = sorted({f"{o['dataset']} {o['external_id'] or ''}".strip() for o in prompt["origins"] or []})
    yield f"prompt {prompt['prompt_id']} ({', '.join(origins) or 'no origin'})"
    for message in prompt["messages"]:
        yield from _indented(f"[{message['role']}] {message['content']}")
    for build in story["builds"]:
        yield ""
        yield from _build_story(build)
    for side in sides:
        yield ""
        yield from _side_story(side, story[side])


def _build_story(build: dict[str, Any]) -> Iterator[str]:
    place = "held out" if build["split"] == "held_out" else f"minibatch {build['minibatch']}"
    pool = f"pool {build['pool']}, " if "pool" in build else ""
    yield f"in build {build['build']}, {pool}{place}, {_based(build['base'])}"
    yield f"  why: {build['why']}"
    for name, rows in build["draw"].items():
        if name in _DRAW_COLUMNS:
            yield from _draw_table(name, rows, _DRAW_COLUMNS[name])
        else:
            yield from _draw_table(f"{name} candidates", rows, _RACE_COLUMNS)
    yield f"  made by {build['run_id']}: {_short(build['command'])}"


def _draw_table(title: str, rows: list[dict[str, Any]], names: tuple[str, ...]) -> Iterator[str]:
    head = [f"  {title}", *(name.replace("_", " ") for name in names)]
    cells = [[f"    {_who(row)}", *(_cell(row[name], name) for name in names)] for row in rows]
    yield from columns([head, *cells])


def _who(row: dict[str, Any]) -> str:
    who = f"{row['source']} {row['response_id']}"
    return f"{who} over {row['against']} {row['against_response_id']}" if "against" in row else who


def _cell(value: float | None, name: str) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else format(value, _FORMATS.get(name, ".4f"))


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
