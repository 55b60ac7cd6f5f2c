"""One contender at one task, in a process of its own: `python -m benchmarks.task CONTENDER TASK FOLDER`.

Prints JSON: the checksum of the result, processor seconds (user and system, children included) and wall seconds from
the files at rest to the result, and the peak of the process's memory. Imports and preparation are not counted in time.
The store's tasks `floors`, `questions` and `help` print the seconds of each of their parts instead.
"""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.costs import cpu_s, forget_peak, peak_mb

COPIES_STORE = ("build", "build_in_one_gigabyte", "questions")


def measure(contender: str, task: str, folder: Path) -> dict[str, object]:
    """Return what a task costs a contender."""
    module = importlib.import_module(f"benchmarks.with_{contender}")
    with tempfile.TemporaryDirectory(dir=folder) as out:
        if contender == "datasets" and not task.startswith("import"):
            module.group(folder, Path(out))
        if contender == "store" and task in COPIES_STORE:
            shutil.copy(folder / "store.duckdb", out)  # a build changes it
        forget_peak()
        started, cpu = time.perf_counter(), cpu_s()
        checksum = getattr(module, task)(folder, Path(out))
        wall, spent = time.perf_counter() - started, cpu_s() - cpu
    return {"checksum": checksum, "cpu_s": spent, "wall_s": wall, "peak_mb": peak_mb()}


def parts(task: str, folder: Path) -> dict[str, float]:
    """Return the seconds of the parts of a task that is not a contest."""
    if task == "floors":
        from benchmarks.floors import floors

        return floors(folder)
    if task == "help":
        return help_costs()
    from benchmarks.questions import costs

    with tempfile.TemporaryDirectory(dir=folder) as out:
        shutil.copy(folder / "store.duckdb", out)
        return costs(Path(out) / "store.duckdb")


def help_costs() -> dict[str, float]:
    """Return the processor seconds of `tso-data --help` and of a bare import of what it is built on."""
    commands = {
        "`tso-data --help`": [sys.executable, "-c", "from tsocli.data import main; main()", "--help"],
        '`python -c "import typer, duckdb"`': [sys.executable, "-c", "import typer, duckdb"],
    }
    spent: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(7):
        for name, command in commands.items():
            cpu = cpu_s()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  our own interpreter
            spent[name].append(cpu_s() - cpu)
    return {name: median(each) for name, each in spent.items()}


if __name__ == "__main__":
    who, what, where = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    json.dump(parts(what, where) if what in ("floors", "questions", "help") else measure(who, what, where), sys.stdout)
