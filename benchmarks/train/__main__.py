"""Run tso's trainer and TRL's in turn, and write the page: `python -m benchmarks.train [--rounds N] [--out PAGE]`.

Needs TRL beside the trainer: the extra `bench`. With --results, figures of earlier runs count as well.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.train import material, page

ROOT = Path(__file__).resolve().parents[2]
RUNS = {  # tso's before each of TRL's: a run of tso takes seconds, in which a machine may be slow or quick
    "short": ("tso auto", "trl bf16", "tso auto", "trl default", "tso auto", "tso fp32", "trl fp32"),
    "long": ("tso auto", "trl bf16", "tso auto", "trl default"),
}
DTYPES = ("float32", "bfloat16")


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train", description=__doc__)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of each trainer; 1 on a busy machine")
    parser.add_argument("--rounds", type=int, default=3, help="how often TRL runs")
    parser.add_argument("--out", type=Path, help="write the page here, too")
    parser.add_argument("--results", type=Path, help="add each run's figures to this file; those in it count as well")
    asked = parser.parse_args(arguments)
    found: dict[str, list[dict[str, float]]] = {}
    if asked.results and asked.results.exists():
        for line in asked.results.read_text(encoding="utf-8").splitlines():
            result = json.loads(line)
            found.setdefault(result.pop("name"), []).append(result)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for shape in material.SHAPES:
            for length in material.LENGTHS:
                material.write(folder / f"{shape}-{length}", material.SHAPES[shape], material.LENGTHS[length])
        for run, figures in _iter_results(folder, asked.rounds, asked.threads):
            found.setdefault(run, []).append(figures)
            _tell(f"{run}: {figures}")
            if asked.results:
                with asked.results.open("a", encoding="utf-8") as file:
                    file.write(f"{json.dumps({'name': run, **figures})}\n")
        text = page.write({run: medians(results) for run, results in found.items()}, folder, n_threads=asked.threads)
    print(text)
    if asked.out:
        asked.out.write_text(text, encoding="utf-8")
    return 0


def medians(results: list[dict[str, float]]) -> dict[str, float]:
    """Return the median of each figure over the runs, and how many they are."""
    return {**{name: median(result[name] for result in results) for name in results[0]}, "n_runs": len(results)}


def _iter_results(folder: Path, rounds: int, n_threads: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield `TRAINER SETTING SHAPE LENGTH` and the figures of one run, round after round."""
    for _ in range(rounds):
        for dtype in DTYPES:
            yield f"matmul {dtype}", _run("matmul", dtype, folder, n_threads)
        for length, runs in RUNS.items():
            for shape in material.SHAPES:
                for run in runs:
                    trainer, setting = run.split()
                    yield f"{run} {shape} {length}", _run(trainer, setting, folder / f"{shape}-{length}", n_threads)


def _run(trainer: str, setting: str, folder: Path, n_threads: int) -> dict[str, float]:
    env = {**os.environ, "OMP_NUM_THREADS": str(n_threads), "HF_HUB_OFFLINE": "1"}
    words = [sys.executable, "-m", "benchmarks.train.task", trainer, setting, str(folder)]
    done = subprocess.run(words, check=True, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)  # noqa: S603  our own module
    last = done.stdout.strip().splitlines()[-1]  # TRL prints its log before
    figures: dict[str, float] = json.loads(last)
    return figures


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
