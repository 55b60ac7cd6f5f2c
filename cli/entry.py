"""Where the installed commands start: a signal ends them in one line even while their libraries are being loaded.

Imports nothing that takes time. Once a command runs, `guarded` answers signals; until then nothing has been begun.
"""

from __future__ import annotations

import os
import signal

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_INTERRUPTED = 130  # ExitCode.INTERRUPTED, whose module is among what is loaded later


def data() -> None:
    """Run `tso-data`."""
    _heed_signals()
    from .data import main

    main()


def train() -> None:
    """Run `tso-train`."""
    _heed_signals()
    from tsotrain.leaving import leave_after

    from .train import main

    leave_after(main)


def _heed_signals() -> None:
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, _stop)


def _stop(_number: int, _frame: object) -> None:
    os.write(2, b"interrupted before anything was begun\n")
    os._exit(_INTERRUPTED)
