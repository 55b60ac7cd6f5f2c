"""A policy's folder holds the old one or the new one, whatever ends the writing."""

import signal
import subprocess
import sys

import pytest

from tsotrain.errors import TrainError
from tsotrain.parallel import processes
from tsotrain.policy import load_policy, policy_sha256
from tsotrain.saving import placed, save_policy

KILLED_BETWEEN_THE_RENAMES = """
import os, signal, sys
from pathlib import Path
from tsotrain.saving import placed

replace = Path.replace

def replace_or_die(self, target):
    if self.name.endswith("partial"):
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(self, target)

Path.replace = replace_or_die
with placed(Path(sys.argv[1])) as partial:
    (partial / "new").touch()
"""


@pytest.fixture
def taken(tmp_path):
    """Return a folder that holds something already."""
    folder = tmp_path / "policy"
    folder.mkdir()
    (folder / "old").touch()
    return folder


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_old_one_comes_back_after_a_kill_between_the_renames(taken, tmp_path):
    done = subprocess.run([sys.executable, "-c", KILLED_BETWEEN_THE_RENAMES, taken], check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert not taken.exists()

    with pytest.raises(OSError, match="full"), placed(taken):
        raise OSError("full")

    assert names_in(taken) == ["old"]
    assert names_in(tmp_path) == ["policy"]


def test_what_is_there_is_replaced_whole_by_a_policy_that_loads(taken, base, tmp_path):
    policy = load_policy(base)
    with processes() as ours:
        save_policy(policy, base, taken, ours)
    first = policy_sha256(taken)
    with processes() as ours:
        save_policy(load_policy(taken), taken, taken, ours)

    assert "old" not in names_in(taken)
    assert policy_sha256(taken) == first
    assert names_in(tmp_path) == ["policy"]


def test_two_that_write_to_one_place_do_not_mix(taken):
    with placed(taken), pytest.raises(TrainError, match="another process is writing there"), placed(taken):
        pass
    assert names_in(taken) == []
