"""What a signal does before a command has begun."""

import signal
import subprocess
import sys

import pytest
from tsocli.entry import _INTERRUPTED
from tsocli.exits import ExitCode

# stands in for a library that takes its time: a finder that is asked for typer, and tells that it has come to it
SLOW = """
import sys, time
from tsocli import entry

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            print("loading", flush=True)
            time.sleep(60)

sys.meta_path.insert(0, Slow())
getattr(entry, sys.argv[1])()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["data", "train"])
def test_a_signal_while_libraries_are_loaded_is_an_interruption_like_any_other(command, number):
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "loading\n"

    process.send_signal(number)
    _, said = process.communicate(timeout=20)

    assert (process.returncode, said) == (ExitCode.INTERRUPTED, "interrupted before anything was begun\n")
    assert _INTERRUPTED == ExitCode.INTERRUPTED
