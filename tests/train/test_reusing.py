"""Freed memory taken again, in a process whose allocator no other test has set, and the rows of a product."""

import subprocess
import sys

import pytest
import torch

from tsotrain.reusing import CPU_MULTIPLE, rounded

COUNT = """
import ctypes, resource
from tsotrain.reusing import keep_freed_memory

c = ctypes.CDLL(None)
c.malloc.restype = ctypes.c_void_p
c.free.argtypes = [ctypes.c_void_p]

def n_faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    held = [c.malloc(8 << 20) for _ in range(20)]
    for place in held:
        ctypes.memset(place, 1, 8 << 20)
    for place in reversed(held):
        c.free(place)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

n_faults()
left = n_faults()
keep_freed_memory()
n_faults()
print(left, n_faults())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is glibc's")
def test_a_step_gets_the_pages_that_the_one_before_freed():
    done = subprocess.run([sys.executable, "-c", COUNT], check=True, capture_output=True, text=True)
    left, kept = map(int, done.stdout.split())

    assert left > 10  # 80 where the system has large pages, else 40,960
    assert kept < left / 4


def test_rows_are_filled_up_on_a_cpu_alone():
    assert [rounded(n, torch.device("cpu")) for n in (0, 1, CPU_MULTIPLE, CPU_MULTIPLE + 1)] == [
        0, CPU_MULTIPLE, CPU_MULTIPLE, 2 * CPU_MULTIPLE,
    ]  # fmt: skip
    assert rounded(CPU_MULTIPLE + 1, torch.device("cuda")) == CPU_MULTIPLE + 1
