"""From the matrix to pairs: `matrix`, `build-pairs`, `builds`, `explain`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, cast

import typer

from .exits import guarded, narrate
from .legible import say
from .opening import open_store, plain, print_json, recorded
from .options import AllowShort, AsJson, Base, MaybeBase, StorePath, Versions, Wait, listed

if TYPE_CHECKING:
    from tsodata.builds import Build, Shortfall


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
        say(matrix_lines(found))
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
    base: MaybeBase = None,
    recipe: Annotated[str, typer.Option(help="A built-in recipe (docs/recipes.md), or a TOML file.")] = "tso",
    seed: Annotated[int | None, typer.Option(min=0, help="The seed.", show_default="43")] = None,
    n: Annotated[
        int | None,
        typer.Option("--n", min=1, help="Pairs to draw (prompts, where there are none).", show_default="all in shares"),
    ] = None,
    target_pairs: Annotated[
        int | None, typer.Option(min=1, help="As --n; where it cannot be, tell all that would be needed.")
    ] = None,
    chosen: Annotated[str | None, typer.Option(help="Chosen sources of the weighted pools: owl/v3/13,…")] = None,
    rejected: Annotated[str | None, typer.Option(help="Rejected sources of the weighted pools: owl/v1/7,…")] = None,
    min_score: Annotated[float | None, typer.Option(help="Least score of an answer to tune on.")] = None,
    strata: Annotated[str | None, typer.Option(help="As many of each tag, dataset or quadrant.")] = None,
    minibatches: Annotated[int | None, typer.Option(min=1, help="Minibatches.", show_default="3")] = None,
    pairs_per_prompt: Annotated[int | None, typer.Option(min=1, help="Pairs per prompt.", show_default="1")] = None,
    held_out: Annotated[float | None, typer.Option(min=0, max=0.999, help="Share of prompts held out.")] = None,
    answered_by: Annotated[str | None, typer.Option(help="Only prompts that all of these answered: human,…")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only prompts of these data sets.")] = None,
    versions: Versions = None,
    allow_short: AllowShort = False,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Draw pairs, answers to tune on, or ranked lists: a pure function of (snapshot, recipe, seed).

    TSO_MEMORY=1GB bounds the memory.
    """
    from tsodata.builds import build_pairs
    from tsodata.errors import ShortPoolError, UsageError
    from tsodata.recipes import Strata, load_recipe

    if n and target_pairs:
        raise UsageError("--n and --target-pairs ask for the same; pass one")
    asked = load_recipe(recipe).with_options(
        seed=seed,
        n=target_pairs or n,
        minibatches=minibatches,
        pairs_per_prompt=pairs_per_prompt,
        held_out=held_out,
        strata=Strata(strata) if strata else None,
    )
    asked = asked.with_filters(answered_by=tuple(listed(answered_by)), datasets=tuple(listed(dataset)))
    asked = asked.with_sides(chosen=tuple(listed(chosen)), rejected=tuple(listed(rejected))).with_min_score(min_score)
    opened = open_store(store, wait)
    arguments = {"name": name, "base": base, "recipe": json.loads(asked.body())}
    with recorded(opened, arguments, seed=asked.seed) as run:
        try:
            drawn = build_pairs(
                opened, name, base=base, recipe=asked, run=run, versions=listed(versions), allow_short=allow_short
            )
        except ShortPoolError as error:
            if target_pairs:
                _print_shortfall(cast("Shortfall", error.shortfall), as_json=as_json)
            raise
    print_build(drawn, as_json=as_json)


def _print_shortfall(shortfall: Shortfall, *, as_json: bool) -> None:
    from .build_report import shortfall_lines

    if as_json:
        print_json(plain(shortfall))
    else:
        say(shortfall_lines(shortfall))


def print_build(build: Build, *, as_json: bool) -> None:
    """Print what a build holds, and say its warnings."""
    from .build_report import build_lines

    if as_json:
        print_json(_build_dict(build))
    else:
        say(build_lines(build))
    for warning in build.warnings:
        narrate(f"tso-data: warning: {warning}")


def _build_dict(build: Build) -> dict[str, object]:
    keys = sorted({(share.pool, share.side) for share in build.shares})
    tests = [
        {"pool": pool, "side": side, "effective_sources": build.effective_sources(pool, side),
         "chi_square": test._asdict() if (test := build.test(pool, side)) else None}
        for pool, side in keys
    ]  # fmt: skip
    return {**plain(build), "sides": tests}


@guarded
def builds(
    name: Annotated[str | None, typer.Argument(help="One build, with its shares and yield.")] = None,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the builds, or show one."""
    opened = open_store(store, wait)
    if name is not None:
        from tsodata.builds import find_build

        print_build(find_build(opened, name), as_json=as_json)
        return
    from .output import write_frame

    frame = opened.sql(
        "select build, base, n_pairs, n_responses, n_prompts, n_minibatches, seed, build_id, snapshot_id "
        "from v_builds order by build"
    )
    write_frame(frame, as_json=as_json)


@guarded
def explain(
    pair: Annotated[
        str, typer.Argument(metavar="PAIR", help="A pair's id, as in v_pairs, or an answer's, as in v_build_responses.")
    ],
    build: Annotated[str | None, typer.Option(help="The build to explain it for.", show_default="all")] = None,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Tell where a pair comes from: sources, settings, runs, scores with the judge's words, and why it was drawn."""
    from tsodata.lineage import explain_answer, explain_pair

    from .build_report import explain_lines

    explained = explain_answer if pair.startswith("r1-") else explain_pair
    story = explained(open_store(store, wait), pair, build=build)
    if as_json:
        print_json(story)
    else:
        say(explain_lines(story))
