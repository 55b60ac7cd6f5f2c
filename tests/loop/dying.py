"""A loop that kills itself: `dying.py WORDS…` is `tso-train WORDS…`, dead right after the n-th thing it has kept.

DIE_AFTER=n counts the commits of the loop's own process, DIE_IN_STAGE_AFTER=n what a stage keeps: commits, checkpoints,
log-probabilities of the reference, the policy, and what it has come to.
"""

import os
import signal
import sys
from contextlib import contextmanager

from tsocli import looping, train

from tsodata.store import Store

LEFT = {name: int(os.environ.get(name, "0")) for name in ("DIE_AFTER", "DIE_IN_STAGE_AFTER")}
OURS = "DIE_IN_STAGE_AFTER" if sys.argv[1] == "stage" else "DIE_AFTER"


def kept():
    """Take note of something that is kept."""
    LEFT[OURS] -= 1
    if LEFT[OURS] == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def counted(function):
    """Return a function that keeps something."""

    def call(*args, **options):
        found = function(*args, **options)
        kept()
        return found

    return call


def count_commits():
    whole = Store.transaction

    @contextmanager
    def transaction(self, run, **options):
        with whole(self, run, **options) as opened:
            yield opened
        kept()

    Store.transaction = transaction


def count_writes():
    from tsotrain import checkpoints, references, training

    checkpoints.save = counted(checkpoints.save)
    references.save_references = counted(references.save_references)
    training.save_policy = counted(training.save_policy)
    training._write_json = counted(training._write_json)


if __name__ == "__main__":
    count_commits()
    if OURS == "DIE_IN_STAGE_AFTER":
        count_writes()
    looping._program = lambda: (sys.executable, __file__)
    sys.argv[0] = "tso-train"
    train.main()
