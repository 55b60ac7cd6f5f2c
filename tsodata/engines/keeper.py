"""Starts a command and ends it, with all that it started, when whoever asked for it is gone. A script, run by path.

    python keeper.py FD COMMAND…

FD is the reading end of a pipe whose other end nobody writes to: when its last holder closes it or dies, however, the
process group gets SIGTERM, and what is left of it SIGKILL some seconds later. The keeper leads the group.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

GRACE_S = 8.0


def keep(lifeline: int, command: list[str]) -> int:
    """Run a command until it ends or the lifeline is cut, and return its exit code."""
    os.set_inheritable(lifeline, False)
    child = subprocess.Popen(command, close_fds=False)  # noqa: S603  whoever started us names it
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # after the child was made: it is to obey what we send the group
    threading.Thread(target=_end_when_cut, args=(lifeline, child), daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


def _end_when_cut(lifeline: int, child: subprocess.Popen[bytes]) -> None:
    os.read(lifeline, 1)
    os.killpg(0, signal.SIGTERM)
    until = time.monotonic() + GRACE_S
    while child.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(keep(int(sys.argv[1]), sys.argv[2:]))
