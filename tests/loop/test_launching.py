"""Commands that a loop runs, and the lock on its folder that they hold with it."""

import subprocess
import sys
import time

import pytest

from tsotrain.errors import TrainError
from tsotrain.launching import held, run_command


def silent(_):
    """Say nothing."""


def test_two_loops_do_not_hold_one_folder(tmp_path):
    said = []
    with held(tmp_path / "l", say=said.append):
        refused = pytest.raises(TrainError, match="is held by another loop of its name")
        with refused, held(tmp_path / "l", say=said.append, wait_s=0.2):
            pass

    assert len(said) == 1
    with held(tmp_path / "l", say=said.append):
        assert len(said) == 1


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(TrainError, match="cannot be made"), held(tmp_path / "file" / "l", say=silent):
        pass


def test_a_command_gives_its_exit_code_and_its_environment(tmp_path):
    with held(tmp_path, say=silent) as lock:
        words = [sys.executable, "-c", "import os, sys; sys.exit(int(os.environ['CODE']))"]
        assert run_command(words, holding=lock, env={"CODE": "7"}) == 7
        assert run_command(["no-such-program-at-all"], holding=lock, env={}) != 0


def test_what_a_killed_loop_has_left_at_work_holds_its_folder_until_it_is_gone(tmp_path):
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    program = f"""
import sys
from pathlib import Path
from tsotrain.launching import held, run_command
with held(Path({str(tmp_path)!r}), say=print) as lock:
    run_command([sys.executable, "-c", {deaf!r}], holding=lock, env={{}})
"""
    loop = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE)
    loop.stderr.readline()  # the command does not heed SIGTERM now
    loop.kill()
    loop.wait()
    began = time.monotonic()
    with held(tmp_path, say=silent):
        waited_s = time.monotonic() - began
    loop.stderr.close()

    assert 6 < waited_s < 40  # a keeper kills after 8 seconds what does not end by itself
