"""Stored words read again: `reparse`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from .exits import guarded
from .legible import say
from .opening import open_store, plain, print_json, recorded
from .options import AsJson, StorePath, Wait

if TYPE_CHECKING:
    from tsodata.judging import Reparse

_SHOWN = 10


@guarded
def reparse(
    parser: Annotated[str, typer.Option("--parser", help="The parser, such as score-line/2 (docs/judging.md).")],
    rubric: Annotated[
        str | None, typer.Option(help="Words of this rubric.", show_default="what the parser's family has read")
    ] = None,
    judge: Annotated[str | None, typer.Option(help="Words of this judge.", show_default="all")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would change, and store nothing.")] = False,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Read stored judgements again by another parser, asking nobody; readings are appended, the newest parser's count.

    --dry-run also tells which pairs of which builds would have been drawn otherwise.
    """
    from tsodata.judging import reparse as read_again

    opened = open_store(store, wait)
    if dry_run:
        found = read_again(opened, parser, run=None, rubric=rubric, judge=judge)
    else:
        with recorded(opened, {"parser": parser, "rubric": rubric, "judge": judge}) as run:
            found = read_again(opened, parser, run=run, rubric=rubric, judge=judge)
    if as_json:
        print_json(plain(found))
    else:
        say(reparse_lines(found, dry_run=dry_run))


def reparse_lines(found: Reparse, *, dry_run: bool) -> Iterator[str]:
    """Yield what reading again gives, for people."""
    would = "would change" if dry_run else "changed"
    yield (
        f"{found.parser}: {found.n_judgements} judgements, {found.n_readings} readings = {found.n_same} as before + "
        f"{found.n_changed} {would} + {found.n_outranked} outranked by a newer parser"
    )
    for kind, n in found.kinds.most_common():
        yield f"  {kind}: {n}"
    for change in found.changes[:_SHOWN]:
        yield f"  {change.response_id} {change.dimension}: {change.before} -> {change.after} ({change.judgement_id})"
    if len(found.changes) > _SHOWN:
        yield f"  … and {len(found.changes) - _SHOWN} more; --json has all"
    if not dry_run:
        yield f"{found.n_added} readings added"
        return
    for build in found.builds:
        if build.stopped is not None:
            yield f"build {build.build}: {build.stopped}"
            continue
        yield f"build {build.build}: {len(build.gone)} of {build.n_rows} would be others, {build.come} would come"
        yield from (f"  {one}" for one in build.gone[:_SHOWN])
    if not found.builds:
        yield "no build would change"
