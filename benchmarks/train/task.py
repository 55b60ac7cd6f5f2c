"""One trainer at one material, in a process of its own: `python -m benchmarks.train.task TRAINER SETTING FOLDER`.

Prints JSON. Seconds are of the wall, or of the processor where there is but one thread (OMP_NUM_THREADS); imports,
loading and tokenizing are not counted.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.costs import cpu_s, forget_peak, peak_mb

N_THREADS = int(os.environ["OMP_NUM_THREADS"])
N_REPEATS = 8


def clock() -> float:
    """Return the time: of the processor for one thread, which other work changes least, else of the wall."""
    return cpu_s() if N_THREADS == 1 else time.perf_counter()


def measure(trainer: str, setting: str, folder: Path) -> dict[str, float]:
    """Return what one step costs a trainer, and the peak of the memory of its process."""
    module = importlib.import_module(f"benchmarks.train.with_{trainer}")
    with tempfile.TemporaryDirectory(dir=folder) as out:
        forget_peak()
        return {**module.train(folder, Path(out) / "out", setting, clock), "peak_mb": peak_mb()}


def matmul_rate(dtype: str) -> dict[str, float]:
    """Return the machine's own rate at a product of square matrices, in GFLOP a second."""
    import torch

    left, right = (torch.randn(1024, 1024).to(getattr(torch, dtype)) for _ in range(2))
    out = torch.empty_like(left)
    torch.mm(left, right, out=out)
    started = clock()
    for _ in range(N_REPEATS):
        torch.mm(left, right, out=out)
    return {"gflop_per_s": 2 * 1024**3 * N_REPEATS / (clock() - started) / 1e9}


if __name__ == "__main__":
    import torch

    torch.set_num_threads(N_THREADS)
    who, what, where = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    figures = matmul_rate(what) if who == "matmul" else measure(who, what, where)
    print(f"\n{json.dumps(figures)}")
