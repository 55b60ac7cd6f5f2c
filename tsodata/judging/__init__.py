"""The judge: rubrics as data, prompts filled in strictly, words kept as they are, and numbers read from them later."""

from tsodata.judging.choosing import Choice, Task, make_task
from tsodata.judging.journals import JournalShelf, judgements_in
from tsodata.judging.judging import (
    CanaryRank,
    JudgeReport,
    Orders,
    Read,
    judge,
    plan_judging,
    read_replies,
    write_requests,
)
from tsodata.judging.keeping import Shelf, StoreShelf
from tsodata.judging.redrawing import BuildChange
from tsodata.judging.reparsing import Change, Reparse, reparse
from tsodata.judging.selftest import N_ANSWERS, Lift, Selftest, selftest
from tsodata.judging.upstream import find_rubric

__all__ = [
    "N_ANSWERS",
    "BuildChange",
    "CanaryRank",
    "Change",
    "Choice",
    "JournalShelf",
    "JudgeReport",
    "Lift",
    "Orders",
    "Read",
    "Reparse",
    "Selftest",
    "Shelf",
    "StoreShelf",
    "Task",
    "find_rubric",
    "judge",
    "judgements_in",
    "make_task",
    "plan_judging",
    "read_replies",
    "reparse",
    "selftest",
    "write_requests",
]
