"""Looking at what the store holds: `stats`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .exits import guarded, narrate
from .opening import open_store, print_json
from .options import AsJson, StorePath, Versions, Wait, listed


@guarded
def stats(
    build: Annotated[str | None, typer.Argument(help="One build of pairs.", show_default="all")] = None,
    section: Annotated[
        list[str] | None,
        typer.Option("--section", help="One section only; may be repeated. docs/stats.md explains each."),
    ] = None,
    judge: Annotated[str | None, typer.Option(help="Whose scores count.", show_default="the only one")] = None,
    rubric: Annotated[str | None, typer.Option(help="By which rubric.", show_default="the only one")] = None,
    base: Annotated[
        str | None,
        typer.Option(help="The model being aligned: who is chosen and rejected.", show_default="the build's"),
    ] = None,
    versions: Versions = None,
    against: Annotated[
        list[Path] | None, typer.Option("--against", help="An evaluation file to look for; may be repeated.")
    ] = None,
    against_field: Annotated[
        list[str] | None, typer.Option("--against-field", help="The field of its text; may be repeated.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of the bootstrap and the samples.", show_default="43")
    ] = None,
    plots: Annotated[Path | None, typer.Option(help="A folder for plots as PNG and SVG; whole, or not at all.")] = None,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show figures of the answers, scores and pairs, each with its interval, threshold and SQL. Filters nothing."""
    from tsodata.recipes import SEED
    from tsodata.stats import Question, compute_stats

    from .figures import stats_lines

    question = Question(
        build=build,
        sections=tuple(section or ()),
        judge=judge,
        rubric=rubric,
        base=base,
        versions=tuple(listed(versions)),
        against=tuple(against or ()),
        against_fields=tuple(against_field or ()),
        seed=SEED if seed is None else seed,
    )
    opened = open_store(store, wait)
    report = compute_stats(opened, question)
    if as_json:
        print_json(report.to_dict())
    else:
        print(*stats_lines(report), sep="\n")
    for note in report.notes:
        narrate(note)
    if plots:
        from tsodata.plots import draw_plots

        narrate(f"{plots}: {', '.join(draw_plots(opened, report, plots, question=question))}")
