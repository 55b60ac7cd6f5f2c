"""What a step on a CPU leaves behind for the next one: memory, and kernels for the shapes that it met.

Left to itself, glibc gives large tensors back to the system as they are freed, and the system hands out zeroed pages
again, one fault each: a tenth of a step's time. And oneDNN makes a kernel for every shape that it meets and keeps a
thousand of them, which costs batches of ever new lengths half as much again, and memory that grows for a thousand
shapes; so rows are filled up to few lengths.
"""

from __future__ import annotations

import ctypes

import torch

CPU_MULTIPLE = 32  # ours: of rows in a matrix product; more fills in more, fewer makes more kernels
_TRIM_THRESHOLD, _NEVER = -1, -1  # M_TRIM_THRESHOLD: when free memory at the heap's end goes back
_MAP_THRESHOLD, _MAP_BYTES = -3, 32 << 20  # M_MMAP_THRESHOLD: from which size a tensor is mapped by itself


def keep_freed_memory() -> None:
    """Have glibc keep what is freed; a C library without `mallopt` (of macOS, musl) goes by its own ways."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(_TRIM_THRESHOLD, _NEVER)
        mallopt(_MAP_THRESHOLD, _MAP_BYTES)


def rounded(n_rows: int, device: torch.device) -> int:
    """Return how many rows a matrix product is given: on a CPU a multiple of `CPU_MULTIPLE`."""
    return -(-n_rows // CPU_MULTIPLE) * CPU_MULTIPLE if device.type == "cpu" else n_rows
