"""How a process of torchrun ends: at once when its work is done.

While the interpreter is taken down, gloo's threads now and then abort the process, and torchrun takes the whole
training for failed, though every file is written. Imports nothing that takes time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable


def leave_after(work: Callable[[], object]) -> None:
    """Do a program's work; where torchrun started it, end the process with the exit code that the work asks for.

    Any other error than SystemExit ends it as usual, with its traceback.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        work()
        return
    code: object = None
    try:
        work()
    except SystemExit as error:
        code = error.code
    if isinstance(code, str):
        sys.stderr.write(f"{code}\n")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))
