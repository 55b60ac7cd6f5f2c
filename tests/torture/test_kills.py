"""A small part of what `make torture` does at length: kills at random, and nothing lost."""

import re
import subprocess
import sys
from pathlib import Path

N_KILLS = 6


def test_whatever_is_killed_nothing_that_was_reported_is_lost(tmp_path):
    program = Path(__file__).with_name("kills.py")
    done = subprocess.run(
        [sys.executable, program, "--kills", str(N_KILLS), "--folder", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    kills, lost, problems = re.search(r"kills (\d+), lost (\d+), problems (\d+)$", done.stdout.strip()).groups()
    assert int(kills) >= N_KILLS
    assert (lost, problems) == ("0", "0")
