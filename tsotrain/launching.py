"""Commands that a loop runs: each ends when the loop does, however it ends, and holds the loop's folder till then.

A command runs under `tsodata.engines.keeper`. A loop that is killed leaves nobody at work in its folders for longer
than that allows; the next one waits for as long.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tsodata.engines import keeper
from tsotrain.errors import TrainError

HELD_S = 60.0  # longer than a keeper's grace, for what a killed loop has left at work
_LOOK_S = 0.1
_STDERR = 2


@contextlib.contextmanager
def held(folder: Path, *, say: Callable[[str], None], wait_s: float = HELD_S) -> Iterator[int]:
    """Hold a folder against other loops, and yield the file descriptor that holds it for whoever inherits it too.

    Raises:
        TrainError: somebody else holds it, or it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise TrainError(f"{folder}: cannot be made ({error.strerror}); pass another loop.folder") from error
    try:
        if not _is_taken(lock):
            say(f"{folder} is held; waiting up to {wait_s:.0f} s for what a loop has left at work there")
            until = time.monotonic() + wait_s
            while not _is_taken(lock):
                if time.monotonic() > until:
                    raise TrainError(f"{folder} is held by another loop of its name; wait for it, or rename this one")
                time.sleep(_LOOK_S)
        yield lock
    finally:
        os.close(lock)


def _is_taken(lock: int) -> bool:
    """Take a lock if nobody has it, and return whether it is ours now."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def run_command(command: Sequence[str], *, holding: int, env: Mapping[str, str]) -> int:
    """Run a command to its end and return its exit code; what it prints goes to our stderr.

    Interrupted, it tells the command to stop and waits for it; interrupted again, it gives it up.

    Raises:
        KeyboardInterrupt: we were interrupted.
    """
    reading, lifeline = os.pipe()
    process = subprocess.Popen(  # noqa: S603  the user's own commands, from the user's own settings
        [sys.executable, "-I", keeper.__file__, str(reading), *command],
        stdin=subprocess.DEVNULL,
        stdout=_STDERR,
        env={**os.environ, **env},
        pass_fds=(reading, holding),
        start_new_session=True,
    )
    os.close(reading)
    try:
        return process.wait()
    except KeyboardInterrupt:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)  # the keeper does not heed it
        process.wait()
        raise
    finally:
        os.close(lifeline)
        process.wait()
