"""Memory that is freed and taken again: in a process of its own, whose allocator no other test has set."""

import subprocess
import sys

import pytest

COUNT = """
import resource, torch
from tsotrain.allocating import keep_freed_memory

def n_faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(64 << 20, dtype=torch.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

n_faults()
left = n_faults()
keep_freed_memory()
n_faults()
print(left, n_faults())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is glibc's")
def test_a_tensor_gets_the_pages_of_the_one_freed_before():
    done = subprocess.run([sys.executable, "-c", COUNT], check=True, capture_output=True, text=True)
    left, kept = map(int, done.stdout.split())

    assert left > 10  # 32 where the system has large pages, else 16,384
    assert kept < left / 4
