"""The page of docs/benchmarks.md: medians, ratios and shares, from the figures of the runs."""

from __future__ import annotations

import os
import platform
import textwrap
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from benchmarks.material import ANSWERS_PER_PROMPT
from benchmarks.sizes import CONTENDERS, GROWTH, TASKS, Sizes

Figures = Mapping[str, Mapping[str, float]]
PACKAGES = ("duckdb", "polars", "pyarrow", "pandas", "datasets", "numpy", "scipy")
NAMES = {"store": "tso", "datasets": "datasets.map", "loops": "Python loop"}
TITLES = {
    "draw": "(a) draw the keys of a chosen and a rejected answer per prompt",
    "build": "(b) draw, and write the pairs with their texts as Parquet",
    "shape": "(c) G1 and G2 of each prompt's scores (the loop calls scipy)",
    "ends": "(d) best and worst of the base's own three answers, ties by hash",
    "import_parquet": "(e) give rows of Parquet their content keys and keep them",
    "import_jsonl": "(e) the same from JSON lines",
}
LIMITS = {
    "draw": ("scan the draw's columns", "hash the answers' keys into a race", "group the answers by prompt"),
    "build": ("decompress all answers", "compress the pairs' answers as Parquet"),
    "shape": ("group the scores by prompt", "group and add up the scores' powers"),
}
HEAD = """# Benchmarks

`make bench` makes this page; `make bench BENCH=--small` is a first look, in minutes; `--medium` takes 300,000
prompts. In full it takes half an hour of a quiet machine.

Each task runs in a process of its own, from files at rest to the result; imports of libraries are not counted, and
every contender's result has the same checksum, else the run fails. The store reads its DuckDB file, with scores,
eligibility, snapshot and provenance as its commands do it; the others read Parquet that holds just the columns needed.
Seconds are of the processor, user and system, because a busy machine changes those least; medians of the
runs. A `*` marks a contender that ran on fewer prompts and is scaled up in proportion.
"""


def write(figures: Figures, sizes: Sizes) -> str:
    """Return the page. A figure that was not run is left out."""
    return "\n".join([HEAD, *_machine(sizes), *_contest(figures, sizes), *_rest(figures, sizes)]) + "\n"


def _machine(sizes: Sizes) -> Iterator[str]:
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    yield f"Machine: {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}; Python {platform.python_version()},"
    yield f"{versions}."
    n_answers = sizes.full * ANSWERS_PER_PROMPT
    yield f"Material: {sizes.full:,} prompts, {n_answers:,} answers of about 300 bytes and as many"
    yield f"scores (benchmarks/material.py); imports: {sizes.imported * ANSWERS_PER_PROMPT:,} rows."
    yield ""


def _contest(figures: Figures, sizes: Sizes) -> Iterator[str]:
    for task in TASKS:
        ours = figures.get(f"store {task} {sizes.of('store', task)}")
        if not ours:
            continue
        n_prompts = sizes.of("store", task)
        yield f"## {TITLES[task]}"
        yield ""
        yield "| who | cpu s | of tso's | wall s | peak MB |"
        yield "|---|---:|---:|---:|---:|"
        for contender in CONTENDERS:
            size = sizes.of(contender, task)
            found = figures.get(f"{contender} {task} {size}")
            if found:
                scale = n_prompts / size
                mark = "*" if scale > 1 else ""
                cpu, wall = found["cpu_s"] * scale, found["wall_s"] * scale
                yield (
                    f"| {NAMES.get(contender, contender)}{mark} | {cpu:.2f} | {cpu / ours['cpu_s']:.1f} | {wall:.1f} "
                    f"| {found['peak_mb']:.0f}{mark} |"
                )
        bounded = figures.get(f"store {task}_in_one_gigabyte {n_prompts}")
        if bounded:
            cpu, wall, peak = bounded["cpu_s"], bounded["wall_s"], bounded["peak_mb"]
            yield f"| tso, TSO_MEMORY=1GB | {cpu:.2f} | {cpu / ours['cpu_s']:.1f} | {wall:.1f} | {peak:.0f} |"
        yield from _limit(figures, sizes, task)
        yield ""


def _limit(figures: Figures, sizes: Sizes, task: str) -> Iterator[str]:
    floors = figures.get(f"store floors {sizes.full}")
    if floors and task in LIMITS:
        whole = figures[f"store {task} {sizes.full}"]["cpu_s"]
        parts = [
            f"to {floor} takes {floors[floor]:.2f} s ({floors[floor] / whole:.0%} of the task)"
            for floor in LIMITS[task]
            if floor in floors
        ]
        yield ""
        yield from textwrap.wrap(f"What limits it, each part measured by itself: {', '.join(parts)}.", 118)


def _rest(figures: Figures, sizes: Sizes) -> Iterator[str]:
    yield "## Growth"
    yield ""
    yield "Processor seconds of tso, and how they grow against the number of answers (1 is linear)."
    yield ""
    yield "| answers | " + " | ".join(f"{task} | growth" for task in GROWTH) + " |"
    yield "|---:|" + "---:|---:|" * len(GROWTH)
    for position, size in enumerate(sizes.growth):
        cells = [f"{size * ANSWERS_PER_PROMPT:,}"]
        for task in GROWTH:
            cells += _growth(figures, sizes, task, position)
        yield "| " + " | ".join(cells) + " |"
    yield ""
    for title, key, unit in (
        ("What the machine can do at most", f"store floors {sizes.full}", "cpu s"),
        ("Questions to the store, with a build of the recipe `tso` in it", f"store questions {sizes.full}", "wall s"),
        ("Starting", "store help 0", "cpu s"),
    ):
        if key in figures:
            yield f"## {title}"
            yield ""
            yield f"| what | {unit} |"
            yield "|---|---:|"
            yield from (f"| {name} | {value:.2f} |" for name, value in figures[key].items())
            yield ""
    notes = Path(__file__).with_name("notes.md")
    yield notes.read_text(encoding="utf-8").rstrip()


def _growth(figures: Figures, sizes: Sizes, task: str, position: int) -> list[str]:
    now = figures.get(f"store {task} {sizes.growth[position]}")
    before = figures.get(f"store {task} {sizes.growth[position - 1]}") if position else None
    if not now:
        return ["", ""]
    if not before:
        return [f"{now['cpu_s']:.2f}", ""]
    times = sizes.growth[position] / sizes.growth[position - 1]
    return [f"{now['cpu_s']:.2f}", f"{now['cpu_s'] / before['cpu_s'] / times:.2f}"]
