"""Bounds this process, because DuckDB does not count every allocation of a query (`repeat('x', 2000000000)`)."""

from __future__ import annotations

import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tsodata.errors import QueryError, UsageError

_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
_ROOM_BYTES = 10**9  # for the libraries' own threads and buffers


@contextmanager
def capped_memory(memory: str) -> Iterator[None]:
    """Let this process grow by twice a query's memory and some room, and no further; where the system tells its size.

    Polars, which ends the process where it gets no memory, has no place inside.

    Raises:
        UsageError: the text is not an amount of memory.
        QueryError: the rows do not fit.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]i?B)", memory.strip(), re.IGNORECASE)
    if not match:
        raise UsageError(f"--memory {memory!r} is not an amount such as 512MB or 2GB")
    before = resource.getrlimit(resource.RLIMIT_AS)
    status = Path("/proc/self/status")
    size = re.search(r"VmSize:\s+(\d+) kB", status.read_text()) if status.exists() else None
    if size:
        allowed = int(size[1]) * 1024 + 2 * int(float(match[1]) * _UNITS[match[2].upper()]) + _ROOM_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (allowed, before[1]))
    try:
        yield
    except MemoryError as error:
        raise QueryError(
            f"the rows need more than {memory} of memory; pass --memory for more, or ask for less"
        ) from error
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
