"""Loops killed at every step: twenty minutes on two cores, so only `make torture` runs it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

N_KILLS = 24


@pytest.mark.skipif("TSO_TORTURE" not in os.environ, reason="make torture runs it")
def test_a_loop_that_is_killed_again_and_again_ends_with_the_policies_of_an_undisturbed_one(tmp_path):
    program = Path(__file__).with_name("looping.py")
    words = [sys.executable, program, "--kills", str(N_KILLS), "--folder", tmp_path]
    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.search(r"^kills (\d+)", done.stdout)[1]) >= N_KILLS
    assert done.stdout.endswith("no problem\n")
