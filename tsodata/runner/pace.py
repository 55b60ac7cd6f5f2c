"""How many calls may go out at once, and when: shared by all workers of one endpoint.

Starts slowly and doubles with each round of answers; a rate limit halves it, once a round, and from then on it grows
by one a round. A wait that the other side asks for is everybody's. Pure: the time is handed in, in seconds.
"""

from __future__ import annotations

import math
import random

FIRST_LIMIT = 8
LONGEST_OWN_WAIT_S = 60.0  # where the other side names none


class Pace:
    """The pace of one endpoint: `limit` calls at once, none before `clear_at`; `parked_s` is a wait too long for us."""

    def __init__(self, most: int, *, max_wait_s: float, draw: random.Random | None = None) -> None:
        self.most = most
        self.limit = min(most, FIRST_LIMIT)
        self.clear_at = -math.inf
        self.parked_s: float | None = None
        self._max_wait_s = max_wait_s
        self._draw = draw or random.Random()  # noqa: S311  jitter, not a secret
        self._is_doubling = True
        self._n_answers = 0  # of this round
        self._cut_at = -math.inf
        self._n_refusals = 0  # rounds refused since the last answer
        self._n_unreachable = 0
        self._refused_since: float | None = None

    def answered(self) -> None:
        """Count an answer; a round of them makes room for more."""
        self._n_refusals = self._n_unreachable = 0
        self._refused_since = None
        self._n_answers += 1
        if self._n_answers >= self.limit:
            self._n_answers = 0
            self.limit = min(self.most, self.limit * 2 if self._is_doubling else self.limit + 1)

    def rate_limited(self, now: float, *, sent_at: float, retry_after_s: float | None) -> None:
        """Halve the calls at once, unless this call left before the last cut; and leave the other side alone."""
        if sent_at >= self._cut_at:
            self._cut_at = now
            self._n_answers = 0
            self._is_doubling = False
            self.limit = max(1, self.limit // 2)
            self._n_refusals += 1
        self._wait(now, retry_after_s)

    def unreachable(self, now: float) -> None:
        """Count a call that found nobody; when a whole round finds nobody, leave the other side alone."""
        self._n_unreachable += 1
        if self._n_unreachable > self.limit:
            self._n_unreachable = 0
            self._n_refusals += 1
            self._wait(now, None)

    def asked_to_wait(self, now: float, retry_after_s: float) -> None:
        """Leave the other side alone for as long as it asks, without a cut."""
        self._wait(now, retry_after_s)

    def jitter(self, seconds: float) -> float:
        """Return a time between half of it and all of it, so that not all come back at once."""
        return seconds * self._draw.uniform(0.5, 1.0)

    def _wait(self, now: float, retry_after_s: float | None) -> None:
        own = self.jitter(min(LONGEST_OWN_WAIT_S, 2.0 ** (self._n_refusals - 1)))
        wait_s = own if retry_after_s is None else retry_after_s
        if self._refused_since is None:
            self._refused_since = now
        if max(wait_s, now + wait_s - self._refused_since) > self._max_wait_s:
            self.parked_s = max(wait_s, self.parked_s or 0.0)
        self.clear_at = max(self.clear_at, now + wait_s)
