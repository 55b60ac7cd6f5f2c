"""What a process has spent: processor seconds and the peak of its memory."""

from __future__ import annotations

import re
import resource
from pathlib import Path


def cpu_s() -> float:
    """Return the processor seconds, user and system, of this process and its finished children."""
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
