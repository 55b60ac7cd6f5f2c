"""What came of a run: each attempt that ended, the sums, and why it ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from tsodata.engines.protocol import Completion, Failure, FailureKind, Request


class Ending(StrEnum):
    """Why a run ended."""

    DONE = "done"  # everything was asked; some of it may have failed
    INTERRUPTED = "interrupted"
    PARKED = "parked"  # the other side asks for a longer wait than `max_wait_s`
    BUDGET = "budget"
    UNAUTHORISED = "unauthorised"
    UNUSABLE = "unusable"  # the first requests were all bad: a wrong model name, or a setting that it does not take


@dataclass(frozen=True, slots=True)
class Ended:
    """One attempt that ended, counted from 1 for each request of a run."""

    request: Request
    attempt: int
    result: Completion | Failure

    @property
    def failure(self) -> Failure | None:
        """Return why there is no answer, or None where there is one."""
        return self.result if isinstance(self.result, Failure) else None

    @property
    def completion(self) -> Completion | None:
        """Return the answer, or None where there is none."""
        return self.result if isinstance(self.result, Completion) else None


@dataclass(slots=True)
class Sums:
    """What came of the requests: `n_planned = n_done + n_failed + n_left`, once the run has ended.

    A request is done once its answer is committed, and failed once it is not tried again; `failures` counts attempts.
    """

    n_planned: int = 0
    n_done: int = 0
    n_failed: int = 0
    failures: Counter[FailureKind] = field(default_factory=Counter)
    n_prompt_tokens: int = 0
    n_completion_tokens: int = 0
    usd: float | None = None
    ending: Ending = Ending.DONE
    detail: str | None = None
    resume_at: datetime | None = None  # UTC; of a parked run

    @property
    def n_left(self) -> int:
        """Return how many requests were planned and neither done nor failed."""
        return self.n_planned - self.n_done - self.n_failed

    @property
    def n_tokens(self) -> int:
        """Return the tokens used, of prompts and answers."""
        return self.n_prompt_tokens + self.n_completion_tokens


class Progress(NamedTuple):
    """Where a run stands. `n_total` is None where nobody knows it; `wait_s` is a cool-down that goes on."""

    n_done: int
    n_failed: int
    n_in_flight: int
    n_total: int | None
    n_tokens: int
    elapsed_s: float
    wait_s: float

    @property
    def per_s(self) -> float:
        """Return the requests that were done a second."""
        return self.n_done / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def eta_s(self) -> float | None:
        """Return the seconds that the rest takes at this rate, or None where nobody can know."""
        if self.n_total is None or not self.n_done:
            return None
        return max(0, self.n_total - self.n_done - self.n_failed) / self.per_s + self.wait_s


Keep: TypeAlias = Callable[[Sequence[Ended]], None]
Tell: TypeAlias = Callable[[Progress], None]
