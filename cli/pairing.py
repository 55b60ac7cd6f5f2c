"""From the matrix to pairs: `matrix`, `build-pairs`, `builds`, `explain`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from .exits import guarded, narrate
from .opening import open_store, print_json, recorded
from .options import AsJson, Base, StorePath, Versions, Wait, listed


@guarded
def matrix(
    base: Base,
    versions: Versions = None,
    dataset: Annotated[str | None, typer.Option(help="Count the prompts of this data set only.")] = None,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show the grid of versions and sizes around a base model, and who stands on which side (Eqs. 1, 2)."""
    from tsodata.coverage import load_coverage, load_matrix

    from .report import matrix_lines

    with open_store(store, wait).reader() as reader:
        found = load_coverage(reader, load_matrix(reader, base, listed(versions)), dataset)
    if not as_json:
        print(*matrix_lines(found), sep="\n")
        return
    cells = [
        {**asdict(cell), "source": cell.source.label, "kind": cell.source.kind, "version": cell.source.version,
         "size": cell.source.size_b}
        for cell in found.cells
    ]  # fmt: skip
    sides = {"chosen": [s.label for s in found.matrix.chosen], "rejected": [s.label for s in found.matrix.rejected]}
    print_json(
        {"base": found.matrix.base.label, "versions": found.matrix.order.versions,
         "n_prompts": found.n_prompts, **sides, "cells": cells}
    )  # fmt: skip


@guarded
def build(
    name: Annotated[str, typer.Argument(help="The build's name.")],
    base: Base,
    recipe: Annotated[str, typer.Option(help="tso, weighted, max_min, or a TOML file.")] = "tso",
    seed: Annotated[int | None, typer.Option(min=0, help="The seed.", show_default="43")] = None,
    n: Annotated[
        int | None, typer.Option("--n", min=1, help="Pairs to draw.", show_default="all that the shares allow")
    ] = None,
    minibatches: Annotated[int | None, typer.Option(min=1, help="Minibatches.", show_default="3")] = None,
    pairs_per_prompt: Annotated[int | None, typer.Option(min=1, help="Pairs per prompt.", show_default="1")] = None,
    held_out: Annotated[float | None, typer.Option(min=0, max=0.999, help="Share of prompts held out.")] = None,
    answered_by: Annotated[str | None, typer.Option(help="Only prompts that all of these answered: human,…")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only prompts of these data sets.")] = None,
    versions: Versions = None,
    allow_short: Annotated[bool, typer.Option("--allow-short", help="Build even where a pool lacks material.")] = False,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Draw chosen/rejected pairs: a pure function of (snapshot, recipe, seed). TSO_MEMORY=1GB bounds the memory."""
    from tsodata.builds import build_pairs
    from tsodata.recipes import load_recipe

    from .report import build_lines

    asked = load_recipe(recipe).with_options(
        seed=seed, n=n, minibatches=minibatches, pairs_per_prompt=pairs_per_prompt, held_out=held_out
    )
    asked = asked.with_filters(answered_by=tuple(listed(answered_by)), datasets=tuple(listed(dataset)))
    opened = open_store(store, wait)
    with recorded(opened, {"name": name, "base": base, "recipe": json.loads(asked.body())}, seed=asked.seed) as run:
        drawn = build_pairs(
            opened, name, base=base, recipe=asked, run=run, versions=listed(versions), allow_short=allow_short
        )
    if as_json:
        print_json(_build_dict(drawn))
    else:
        print(*build_lines(drawn), sep="\n")
    for warning in drawn.warnings:
        narrate(f"tso-data: warning: {warning}")


def _build_dict(build: Any) -> dict[str, object]:
    keys = sorted({(share.pool, share.side) for share in build.shares})
    tests = [
        {"pool": pool, "side": side, "effective_sources": build.effective_sources(pool, side),
         "chi_square": test._asdict() if (test := build.test(pool, side)) else None}
        for pool, side in keys
    ]  # fmt: skip
    return {**asdict(build), "shares": [share._asdict() for share in build.shares], "sides": tests}


@guarded
def builds(
    name: Annotated[str | None, typer.Argument(help="One build, with its shares and yield.")] = None,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the builds, or show one."""
    from .report import build_lines

    opened = open_store(store, wait)
    if name is not None:
        from tsodata.builds import find_build

        build = find_build(opened, name)
        if as_json:
            print_json(_build_dict(build))
        else:
            print(*build_lines(build), sep="\n")
        return
    from .output import write_frame

    frame = opened.sql(
        "select build, base, n_pairs, n_prompts, n_minibatches, seed, build_id, snapshot_id "
        "from v_builds order by build"
    )
    write_frame(frame, as_json=as_json)


@guarded
def explain(
    pair: Annotated[str, typer.Argument(metavar="PAIR", help="A pair's id, as in v_pairs.")],
    build: Annotated[str | None, typer.Option(help="The build to explain it for.", show_default="all")] = None,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Tell where a pair comes from: sources, settings, runs, scores with the judge's words, and why it was drawn."""
    from tsodata.lineage import explain_pair

    from .report import explain_lines

    story = explain_pair(open_store(store, wait), pair, build=build)
    if as_json:
        print_json(story)
    else:
        print(*explain_lines(story), sep="\n")
