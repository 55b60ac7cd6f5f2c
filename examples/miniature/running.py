"""The run: units in two processes, each leaving its figures in a file; what has its file is not run again.

First the matrix' models, one unit a size, then for each seed its units in their order. Two units of one seed never run
at once: they share its store.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
import traceback
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from miniature.cells import SIZES
from miniature.experiments import UNITS as EXPERIMENTS
from miniature.matrix import Scale

N_WORKERS = 2
UNITS = ("answers", "correction", "exam", *EXPERIMENTS, "pairs")  # of a seed


@dataclass(frozen=True, slots=True)
class Work:
    """The folder of a run and how large it is."""

    folder: Path
    scale: Scale

    @property
    def results(self) -> Path:
        """Return the folder of the figures."""
        return self.folder / "results"

    @property
    def models(self) -> Path:
        """Return the folder of the matrix' models."""
        return self.folder / "models"

    def file(self, chain: str, unit: str) -> Path:
        """Return where a unit leaves its figures."""
        return self.results / chain / f"{unit}.json"


def run(work: Work, *, until: float | None = None) -> list[str]:
    """Run all units that are not done, and return those that failed; none is begun after the time `until`."""
    failed = _run_chains(work, {f"models-{size.name}": [size.name] for size in reversed(SIZES)}, until)
    return failed or _run_chains(work, {f"seed-{n}": list(UNITS) for n in range(1, work.scale.n_seeds + 1)}, until)


def _run_chains(work: Work, chains: Mapping[str, list[str]], until: float | None) -> list[str]:
    """Run chains of units, those of each in their order; whoever is furthest behind comes next."""
    left = {name: [unit for unit in units if not work.file(name, unit).exists()] for name, units in chains.items()}
    failed: list[str] = []
    running: dict[Future[float], tuple[str, str]] = {}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(N_WORKERS, mp_context=context) as pool:
        while True:
            busy = {name for name, _ in running.values()}
            waiting = sorted((name for name in left if left[name] and name not in busy), key=lambda n: -len(left[n]))
            is_late = until is not None and time.time() > until
            for name in waiting[: 0 if is_late else N_WORKERS - len(running)]:
                unit = left[name].pop(0)
                running[pool.submit(_run_unit, work, name, unit)] = (name, unit)
            if not running:
                return failed
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                name, unit = running.pop(future)
                error = future.exception()
                if error:
                    failed.append(f"{name}/{unit}")
                    left[name] = []
                    traceback.print_exception(error)
                n_left = sum(map(len, left.values())) + len(running)
                told = "failed" if error else f"done in {future.result():.0f} s"
                print(f"{time.strftime('%H:%M:%S')} {name}: {unit} {told}; {n_left} units left", file=sys.stderr)


def _run_unit(work: Work, chain: str, unit: str) -> float:
    """Run a unit in this process, write its figures whole, and return how many seconds it took."""
    import torch
    from transformers.utils import logging

    torch.set_num_threads(1)
    logging.disable_progress_bar()
    started, cpu = time.time(), time.process_time()
    figures = _figures(work, chain, unit)
    elapsed_s = time.time() - started
    figures["seconds"] = {"wall": round(elapsed_s, 1), "processor": round(time.process_time() - cpu, 1)}
    path = work.file(chain, unit)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(figures), encoding="utf-8")
    partial.replace(path)
    return elapsed_s


def _figures(work: Work, chain: str, unit: str) -> dict[str, Any]:
    from miniature import cells, correcting, matrix
    from miniature.experiments import Trials
    from miniature.steps import Place

    if chain.startswith("models-"):
        size = next(size for size in cells.SIZES if size.name == unit)
        return cells.pretrain(work.models, size, held_back=matrix.held_back(work.scale), share=work.scale.pretraining)
    folder = work.folder / chain
    folder.mkdir(parents=True, exist_ok=True)
    place = Place(folder, int(chain.removeprefix("seed-")))
    trials = Trials(place, work.models, work.scale.n_samples, work.scale.rest_from)
    if unit == "answers":
        return matrix.fill(place, work.scale, work.models)
    if unit == "correction":
        found = correcting.correct(place, trials.base, parts=matrix.PARTS)
        return {**found, "shapes": correcting.shapes(place)}
    if unit == "exam":
        return matrix.examine(place)
    if unit == "pairs":
        return correcting.pairs(place, [f"tso-{stage}" for stage in (1, 2, 3)])
    return EXPERIMENTS[unit](trials)
