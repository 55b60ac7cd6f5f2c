"""Batches of what ended, handed one after the other to whoever commits them, on one thread of their own."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeAlias

from tsodata.runner.sums import Ended, Keep

BATCH_ROWS = 100  # at least; twice the calls at once, so that they need not wait while a batch is committed
BATCH_S = 0.05
_COMMITS_SHARE = 0.2  # of the time, at most, so that slow disks get larger batches
_LONGEST_S = 1.0
Call: TypeAlias = list[tuple[Ended, bool]]  # attempts, each with whether its request is given up or answered


class Keeper:
    """Commits what ended, up to `batch_rows` at once; nothing is told as kept before `keep` has returned.

    What one call of the engine has brought is committed together: a run that goes on after a kill then makes the calls
    that an undisturbed one makes, and an engine's answers may depend on their company in the last digits.
    """

    def __init__(self, keep: Keep, kept: Callable[[Call], None], *, thread: Executor, concurrency: int) -> None:
        self.batch_rows = max(BATCH_ROWS, 2 * concurrency)
        self.error: BaseException | None = None
        self._keep, self._kept, self._thread = keep, kept, thread
        self._waiting: deque[Call] = deque()
        self._n_waiting = self._n_committing = 0
        self._news, self._urgent, self._moved = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._is_flushing = False
        self._linger_s = BATCH_S

    @property
    def n_uncommitted(self) -> int:
        """Return how many attempts have ended and are not committed yet."""
        return self._n_waiting + self._n_committing

    @property
    def has_room(self) -> bool:
        """Return whether less than a batch is uncommitted: else nothing more is to be asked for now."""
        return self.n_uncommitted < self.batch_rows

    def add(self, call: Call) -> None:
        """Take the attempts of a call that ended."""
        self._waiting.append(call)
        self._n_waiting += len(call)
        self._news.set()
        if self._n_waiting >= self.batch_rows:
            self._urgent.set()

    async def moved(self) -> None:
        """Wait until a batch is committed, or cannot be."""
        if self.error is None:
            self._moved.clear()
            await self._moved.wait()

    async def flush(self) -> None:
        """Wait until everything is committed, or cannot be."""
        self._is_flushing = True
        self._urgent.set()
        while self.n_uncommitted and self.error is None:
            await self.moved()
        self._is_flushing = False

    async def run(self) -> None:
        """Commit batches until cancelled, or until one cannot be committed."""
        loop = asyncio.get_running_loop()
        while True:
            await self._news.wait()
            await self._linger()
            batch = self._next_batch()
            if not self._waiting:
                self._news.clear()
            if self._n_waiting < self.batch_rows and not self._is_flushing:
                self._urgent.clear()
            self._n_committing = len(batch)
            started = time.perf_counter()
            try:
                await loop.run_in_executor(self._thread, self._keep, [ended for ended, _ in batch])
            except Exception as error:  # noqa: BLE001  raised by the run, once it has ended
                self.error = error
                self._moved.set()
                return
            spent_s = time.perf_counter() - started
            self._linger_s = min(_LONGEST_S, max(BATCH_S, spent_s / _COMMITS_SHARE - spent_s))
            self._n_committing = 0
            self._kept(batch)
            self._moved.set()

    def _next_batch(self) -> Call:
        """Return whole calls: so many as there is room for, and one at least."""
        batch = self._waiting.popleft()
        while self._waiting and len(batch) + len(self._waiting[0]) <= self.batch_rows:
            batch = [*batch, *self._waiting.popleft()]
        self._n_waiting -= len(batch)
        return batch

    async def _linger(self) -> None:
        try:
            async with asyncio.timeout(self._linger_s):
                await self._urgent.wait()
        except TimeoutError:
            return
