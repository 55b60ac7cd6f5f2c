"""One contender at one task, in a process of its own: `python -m benchmarks.task CONTENDER TASK FOLDER`.

Prints JSON: the checksum of the result, processor seconds (user and system, children included) and wall seconds from
the files at rest to the result, and the peak of the process's memory. Imports and preparation are not counted in time.
"""

from __future__ import annotations

import importlib
import json
import re
import resource
import sys
import tempfile
import time
from pathlib import Path

PREPARED = {("store", "build"): "copy_store", ("store", "build_in_one_gigabyte"): "copy_store"}


def measure(contender: str, task: str, folder: Path) -> dict[str, object]:
    """Return what a task costs a contender."""
    module = importlib.import_module(f"benchmarks.with_{contender}")
    prepare = "group" if contender == "datasets" and "import" not in task else PREPARED.get((contender, task))
    with tempfile.TemporaryDirectory(dir=folder) as out:
        if prepare:
            getattr(module, prepare)(folder, Path(out))
            forget_peak()
        started, cpu = time.perf_counter(), cpu_s()
        checksum = getattr(module, task)(folder, Path(out))
        wall, spent = time.perf_counter() - started, cpu_s() - cpu
    return {"checksum": checksum, "cpu_s": spent, "wall_s": wall, "peak_mb": peak_mb()}


def cpu_s() -> float:
    """Return the processor seconds of this process and its finished children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def peak_mb() -> float:
    """Return the peak of the resident memory, in MB; from /proc, because getrusage tells the parent's peak as well."""
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        if found:
            return int(found[1]) / 1000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def forget_peak() -> None:
    """Start the peak anew, where the system can."""
    reset = Path("/proc/self/clear_refs")
    if reset.exists():
        reset.write_text("5")


if __name__ == "__main__":
    json.dump(measure(sys.argv[1], sys.argv[2], Path(sys.argv[3])), sys.stdout)
