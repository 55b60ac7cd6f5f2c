"""Processes that hold a model: started with a log of their own, and ended with everything that they started.

Each runs under `keeper`, in a session of its own: a Ctrl-C at the terminal does not reach it, and it does not outlive
us, even when we are killed.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tsodata.engines import keeper
from tsodata.errors import UsageError

_SECRET = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)$")
_TAIL_BYTES = 65536
_LEVEL = re.compile(r"\b[A-Z]\w*(Error|Exception)\b: ")
_OFFLINE = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}


class Child:
    """A process with its log. The log is removed when it is stopped, unless `keeps_log` is set."""

    def __init__(
        self, command: Sequence[str], *, name: str, env: Mapping[str, str], pass_fd: int | None = None
    ) -> None:
        """Start a command.

        Raises:
            UsageError: there is no such program.
        """
        handle, log = tempfile.mkstemp(prefix=f"tso-{name}-", suffix=".log")
        self.log, self.keeps_log = Path(log), False
        reading, lifeline = os.pipe()
        self._lifeline: int | None = lifeline
        fds = [fd for fd in (reading, pass_fd) if fd is not None]
        try:
            self._process = subprocess.Popen(  # noqa: S603  the user's own interpreter
                [sys.executable, "-I", keeper.__file__, str(reading), *command],
                stdin=subprocess.DEVNULL,
                stdout=handle,
                stderr=handle,
                env=_environment(env),
                pass_fds=fds,
                start_new_session=True,
            )
        finally:
            os.close(reading)
            os.close(handle)

    @property
    def is_running(self) -> bool:
        """Return whether it has not ended."""
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Return how it ended, if it has."""
        return self._process.poll()

    def last_words(self) -> str:
        """Return the last line of its log that tells an error, or else the last line."""
        with contextlib.suppress(OSError), self.log.open("rb") as opened:
            opened.seek(max(0, self.log.stat().st_size - _TAIL_BYTES))
            lines = [line.strip() for line in opened.read().decode(errors="replace").splitlines() if line.strip()]
            told = [line for line in lines if _LEVEL.search(line)]
            return (told or lines or ["it said nothing"])[-1][-300:]
        return "its log is gone"

    def wait(self, seconds: float) -> bool:
        """Return whether it ends within some seconds."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> None:
        """End it and everything that it started, gently first; twice is safe."""
        if self._lifeline is None:
            return
        os.close(self._lifeline)
        self._lifeline = None
        self.wait(keeper.GRACE_S + 2)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if not self.keeps_log:
            self.log.unlink(missing_ok=True)


def check_interpreter(python: str, *, what: str) -> None:
    """Refuse an interpreter that is not there.

    Raises:
        UsageError: it is not.
    """
    if not Path(python).is_file() or not os.access(python, os.X_OK):
        raise UsageError(f"{what}: no Python interpreter at {python}; name one with python=PATH")


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return our environment without what looks like a secret, and without the net."""
    ours = {name: value for name, value in os.environ.items() if not _SECRET.search(name.upper())}
    return {**_OFFLINE, **ours, **more}
