"""What becomes of the memory that a step on a CPU frees: it stays with the process, for the next step needs it again.

Left to itself, glibc gives large tensors back to the system as they are freed, and the system hands out zeroed pages
again, one fault each: a tenth of a step's time. Peak memory is the same to a few per cent, and is kept between steps.
"""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _NEVER = -1, -1  # M_TRIM_THRESHOLD: when free memory at the heap's end goes back
_MAP_THRESHOLD, _MAP_BYTES = -3, 1 << 30  # M_MMAP_THRESHOLD: from which size a tensor is mapped by itself


def keep_freed_memory() -> None:
    """Have glibc keep what is freed; a C library without `mallopt` (of macOS, musl) goes by its own ways."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(_TRIM_THRESHOLD, _NEVER)
        mallopt(_MAP_THRESHOLD, _MAP_BYTES)
