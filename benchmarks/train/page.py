"""The page of docs/benchmarks-train.md: medians, ratios and the share of the machine's own rate."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from benchmarks.train.material import LENGTHS, N_STEPS, SHAPES, Shape
from benchmarks.train.with_tso import examples

Figures = Mapping[str, Mapping[str, float]]
EPOCHS = 2
NAMES = {
    "tso auto": "tso (its defaults)",
    "tso fp32": "tso, fp32",
    "trl bf16": "TRL, bf16, reference precomputed, no checkpointing",
    "trl fp32": "TRL, fp32, reference precomputed, no checkpointing",
    "trl default": "TRL's defaults",
}
HEAD = """# Benchmarks of the trainer

`make bench-train` makes this page: tso beside TRL's DPOTrainer on the same pairs, model and machine, in turn, tso
before each of TRL's runs. A run is a process of its own that scores the reference and takes {n_steps} steps over all
pairs, the first of which is not counted; loading, tokenizing and saving are not counted either. Medians.
Here each trainer had {threads}.

A *stage* is the reference's pass and two epochs of steps, as in the paper: what a user waits for. Tokens are real ones,
each response with its prompt, never padding. TRL's *best* is the faster of its runs without checkpointing. *Share of
the machine* is the arithmetic that the stage needs at least (2 FLOP a weight and token forward, 4 backward, each prompt
once, the head on response tokens alone, attention left out) by what the machine does at square products of its faster
dtype in the same time, with as many threads. Gradient norms are those of the first step: the trainers did the same.
*runs* is how many a median is over; one or two on a busy machine leave a tenth of doubt.
"""
TAIL = """
## What to read out of it

The lead comes from no padding, each prompt once, the head on response tokens in one pass, a reference that is scored
once, and fewer passes over memory in norms and attention; on a CPU TRL scores every position, which it does not do on a
GPU, so expect less there. Nothing here was measured on a GPU.
"""


def write(figures: Figures, folder: Path, *, n_threads: int) -> str:
    """Return the page, from the medians by `TRAINER SETTING SHAPE LENGTH` and the material."""
    threads = f"{n_threads} threads, and seconds are of the wall"
    if n_threads == 1:
        threads = "one thread, and seconds are of the processor, which other work on the machine changes least"
    lines = [HEAD.format(n_steps=N_STEPS, threads=threads), *_machine(figures)]
    for shape in SHAPES:
        for length in LENGTHS:
            lines += _table(figures, folder / f"{shape}-{length}", shape=shape, length=length)
    return "\n".join(lines) + TAIL


def stage_s(of_run: Mapping[str, float]) -> float:
    """Return the seconds of a stage: the reference once, and the epochs."""
    return of_run["reference_s"] + EPOCHS * of_run["step_s"]


def needed_gflop(folder: Path, shape: Shape) -> float:
    """Return the arithmetic that a stage needs at least: the reference's forward pass, and the epochs."""
    pairs = examples(folder)
    n_run = sum(pair.n_tokens for pair in pairs)
    n_scored = sum(len(response) for pair in pairs for response in pair.responses)
    forward = 2 * (shape.body_parameters * n_run + shape.head_parameters * n_scored) / 1e9
    return forward * (1 + 3 * EPOCHS)


def _machine(figures: Figures) -> Iterator[str]:
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("torch", "transformers", "trl"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    yield f"Machine: {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}, {_processor()}; {versions}."
    rates = {name: of_run["gflop_per_s"] for name, of_run in figures.items() if name.startswith("matmul ")}
    said = ", ".join(f"{rate:.0f} in {name.split()[1]}" for name, rate in rates.items())
    yield f"Matrix products, GFLOP a second: {said}."
    yield ""


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    found = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return found[0] if found else platform.machine()


def _table(figures: Figures, folder: Path, *, shape: str, length: str) -> Iterator[str]:
    runs = {name: figures[f"{name} {shape} {length}"] for name in NAMES if f"{name} {shape} {length}" in figures}
    if "tso auto" not in runs:
        return
    pairs = examples(folder)
    n_tokens = EPOCHS * sum(pair.n_real_tokens for pair in pairs)
    rate = max(of_run["gflop_per_s"] for name, of_run in figures.items() if name.startswith("matmul "))
    ours = runs["tso auto"]
    yield f"## {SHAPES[shape].title}, {LENGTHS[length].title}"
    yield ""
    yield f"{len(pairs)} pairs, {n_tokens // EPOCHS:,} tokens an epoch."
    yield ""
    yield "| | tokens/s, stage | step alone | tso is faster | peak MB | tso takes | of the machine | norm | runs |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    for name, of_run in runs.items():
        spent = stage_s(of_run)
        cells = [
            f"{n_tokens / spent:,.0f}",
            f"{n_tokens / EPOCHS / of_run['step_s']:,.0f}",
            f"{spent / stage_s(ours):.1f}x",
            f"{of_run['peak_mb']:,.0f}",
            f"{ours['peak_mb'] / of_run['peak_mb']:.2f}",
            f"{needed_gflop(folder, SHAPES[shape]) / spent / rate:.0%}",
            f"{of_run['gradient_norm']:.2f}",
            f"{of_run['n_runs']:.0f}",
        ]
        yield f"| {NAMES[name]} | " + " | ".join(cells) + " |"
    yield ""
