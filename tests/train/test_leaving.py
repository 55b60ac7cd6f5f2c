"""How programs end under torchrun, and elsewhere."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import atexit, sys
from tsotrain.leaving import leave_after
atexit.register(print, "taken down")
def work():
    print("worked")
    {end}
leave_after(work)
"""


@pytest.mark.parametrize(("end", "code"), [("", 0), ("sys.exit(4)", 4), ("sys.exit('why')", 1), ("1 / 0", 1)])
@pytest.mark.parametrize("is_torchrun", [False, True])
def test_a_program_ends_with_the_exit_code_of_its_work(end, code, is_torchrun):
    env = {**os.environ, **({"TORCHELASTIC_RUN_ID": "r"} if is_torchrun else {})}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(end=end)], env=env, capture_output=True, text=True, check=False
    )

    assert done.returncode == code
    is_taken_down = not is_torchrun or "1 / 0" in end
    assert done.stdout == ("worked\ntaken down\n" if is_taken_down else "worked\n")
    assert ("why" in done.stderr) == ("why" in end)
