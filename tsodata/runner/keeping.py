"""Batches of what ended, handed one after the other to whoever commits them, on one thread of their own."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor

from tsodata.runner.sums import Ended, Keep

BATCH_ROWS = 100  # at least; twice the calls at once, so that they need not wait while a batch is committed
BATCH_S = 0.05
_COMMITS_SHARE = 0.2  # of the time, at most, so that slow disks get larger batches
_LONGEST_S = 1.0


class Keeper:
    """Commits what ended, up to `batch_rows` at once; nothing is told as kept before `keep` has returned."""

    def __init__(
        self, keep: Keep, kept: Callable[[list[tuple[Ended, bool]]], None], *, thread: Executor, concurrency: int
    ) -> None:
        self.batch_rows = max(BATCH_ROWS, 2 * concurrency)
        self.error: BaseException | None = None
        self._keep, self._kept, self._thread = keep, kept, thread
        self._waiting: deque[tuple[Ended, bool]] = deque()
        self._n_committing = 0
        self._news, self._urgent, self._moved = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._is_flushing = False
        self._linger_s = BATCH_S

    @property
    def n_uncommitted(self) -> int:
        """Return how many attempts have ended and are not committed yet."""
        return len(self._waiting) + self._n_committing

    @property
    def has_room(self) -> bool:
        """Return whether less than a batch is uncommitted: else nothing more is to be asked for now."""
        return self.n_uncommitted < self.batch_rows

    def add(self, ended: Ended, *, is_last: bool) -> None:
        """Take an attempt that ended; `is_last` says that its request is not tried again."""
        self._waiting.append((ended, is_last))
        self._news.set()
        if len(self._waiting) >= self.batch_rows:
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
            batch = [self._waiting.popleft() for _ in range(min(self.batch_rows, len(self._waiting)))]
            if not self._waiting:
                self._news.clear()
            if len(self._waiting) < self.batch_rows and not self._is_flushing:
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

    async def _linger(self) -> None:
        try:
            async with asyncio.timeout(self._linger_s):
                await self._urgent.wait()
        except TimeoutError:
            return
