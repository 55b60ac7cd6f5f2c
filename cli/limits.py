"""Bounds this process, because DuckDB does not count every allocation of a query (`repeat('x', 2000000000)`)."""

from __future__ import annotations

import re
import resource
from pathlib import Path

from tsodata.errors import UsageError

_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
_ROOM_BYTES = 10**9  # for the libraries' own threads and buffers


def cap_memory(memory: str) -> None:
    """Let this process grow by twice a query's memory and some room, and no further; where the system tells its size.

    Raises:
        UsageError: the text is not an amount of memory.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]i?B)", memory.strip(), re.IGNORECASE)
    if not match:
        raise UsageError(f"--memory {memory!r} is not an amount such as 512MB or 2GB")
    status = Path("/proc/self/status")
    if not status.exists():
        return
    size = re.search(r"VmSize:\s+(\d+) kB", status.read_text())
    if size:
        allowed = int(size[1]) * 1024 + 2 * int(float(match[1]) * _UNITS[match[2].upper()]) + _ROOM_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (allowed, resource.getrlimit(resource.RLIMIT_AS)[1]))
