"""Runs requests over an engine: workers at an adaptive pace, retries by kind, and a drain whenever it has to stop.

What is in flight and what is not committed yet is never more than the calls at once and one batch: so much is asked
again after a kill, and no more. Planning and committing take turns on one thread, because both may open the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from tsodata.engines.protocol import Completion, Engine, Failure, FailureKind, Request
from tsodata.provenance import utc_now
from tsodata.runner.keeping import Keeper
from tsodata.runner.limits import Limits
from tsodata.runner.pace import Pace
from tsodata.runner.sums import Ended, Ending, Keep, Progress, Sums, Tell

FINAL = frozenset(
    {FailureKind.REFUSED, FailureKind.TOO_LONG, FailureKind.BAD_REQUEST}
)  # the same again would fail again
ALL_BAD = 20  # so many bad requests before any answer: it is not the requests
TICK_S = 0.5
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_PULL = 256


def run_requests(
    requests: Iterable[Request],
    engine: Engine,
    keep: Keep,
    *,
    limits: Limits,
    n_total: int | None = None,
    tell: Tell = lambda _: None,
) -> Sums:
    """Ask an engine for everything, and return what came of it; see `run_waves`."""
    return run_waves([requests], engine, keep, limits=limits, n_total=n_total, tell=tell)


def run_waves(
    waves: Iterable[Iterable[Request]],
    engine: Engine,
    keep: Keep,
    *,
    limits: Limits,
    n_total: int | None = None,
    tell: Tell = lambda _: None,
) -> Sums:
    """Ask an engine for one wave of requests after the other; a wave is planned once the one before is committed.

    Requests are drawn as they are needed. `keep` gets every attempt that ended, failures too, a batch at once, and
    has to commit them in one transaction: a request counts as done only once `keep` has returned. It is never called
    twice at once, nor while requests are drawn. Ctrl-C or SIGTERM lets what is in flight end and be committed; a second
    one gives up what is in flight. The engine is closed at the end.

    Raises:
        Exception: what `keep` or the requests raise; what was kept before stays kept.
    """
    return asyncio.run(_Running(waves, engine, keep, limits=limits, n_total=n_total, tell=tell).run())


@dataclass(slots=True)
class _Asked:
    """A request on its way, its attempts, and those of them that count against it."""

    request: Request
    n_attempts: int = 0
    n_faults: int = 0


class _Running:
    """One run."""

    def __init__(
        self,
        waves: Iterable[Iterable[Request]],
        engine: Engine,
        keep: Keep,
        *,
        limits: Limits,
        n_total: int | None,
        tell: Tell,
    ) -> None:
        self.waves, self.engine, self.keep = waves, engine, keep
        self.limits, self.n_total, self.tell = limits, n_total, tell
        self.sums = Sums(usd=0.0 if limits.prices else None)
        self.pace = Pace(min(limits.concurrency, engine.max_concurrency), max_wait_s=limits.max_wait_s)
        self.requests: Iterator[Request] = iter(())
        self.is_exhausted = True
        self.ready: deque[_Asked] = deque()
        self.n_later = 0  # to be tried again, not yet
        self.n_in_flight = 0
        self.n_answers = 0
        self.n_bad = 0
        self.workers: set[asyncio.Task[None]] = set()
        self.error: BaseException | None = None

    async def run(self) -> Sums:
        """Run the waves to their end, or to ours."""
        self.loop = asyncio.get_running_loop()
        self.started_at = self.loop.time()
        self.stopping, self.idle, self.pulling = asyncio.Event(), asyncio.Event(), asyncio.Lock()
        with ThreadPoolExecutor(1, "tso-store") as self.thread, self._signals():
            self.keeper = Keeper(self.keep, self._kept, thread=self.thread, concurrency=self.pace.most)
            others = [asyncio.create_task(self._keep_batches()), asyncio.create_task(self._tick())]
            try:
                await self._run_waves()
                await self.keeper.flush()
            finally:
                for task in (*others, *self.workers):
                    task.cancel()
                await asyncio.gather(*others, *self.workers, return_exceptions=True)
                await self.engine.close()
        self._tell()
        error = self.keeper.error or self.error
        if error is not None:
            raise error
        return self.sums

    async def _run_waves(self) -> None:
        waves = iter(self.waves)
        while not self.stopping.is_set():
            wave = await self.loop.run_in_executor(self.thread, next, waves, None)
            if wave is None:
                return
            self.requests, self.is_exhausted = iter(wave), False
            self.idle.clear()
            self._hire()
            await self.idle.wait()
            await self.keeper.flush()

    async def _keep_batches(self) -> None:
        await self.keeper.run()
        self._stop(self.sums.ending, None)  # a batch could not be kept: what is in flight could not be either
        self._abandon()

    def _kept(self, batch: list[tuple[Ended, bool]]) -> None:
        for ended, is_last in batch:
            if ended.failure:
                self.sums.failures[ended.failure.kind] += 1
                self.sums.n_failed += is_last
            else:
                self.sums.n_done += 1

    # workers ------------------------------------------------------------------------------------------------------

    def _hire(self) -> None:
        """Start a worker where there is room for one and may be work; who finds none leaves."""
        if not self.stopping.is_set() and len(self.workers) < self.pace.limit and self._has_work:
            worker = asyncio.create_task(self._work())
            self.workers.add(worker)
            worker.add_done_callback(self._left)

    @property
    def _has_work(self) -> bool:
        return bool(self.ready) or not self.is_exhausted

    def _left(self, worker: asyncio.Task[None]) -> None:
        self.workers.discard(worker)
        if not worker.cancelled() and (error := worker.exception()):
            self.error = self.error or error
            self._stop(self.sums.ending, None)
            self._abandon()
        self._hire()
        self._look_whether_idle()

    def _look_whether_idle(self) -> None:
        if not self.workers and (self.stopping.is_set() or not (self._has_work or self.n_later)):
            self.idle.set()

    async def _work(self) -> None:
        while len(self.workers) <= self.pace.limit:
            if len(self.ready) < self.engine.batch_size and not self.is_exhausted:
                await self._pull()
            await self._until_clear()
            asked = self._take()
            if not asked:
                return
            self._hire()
            await self._ask(asked)

    async def _pull(self) -> None:
        """Draw more requests."""
        async with self.pulling:
            if len(self.ready) >= self.engine.batch_size or self.is_exhausted:
                return
            drawn = await self.loop.run_in_executor(self.thread, list, itertools.islice(self.requests, _PULL))
            self.is_exhausted = not drawn
            self.ready.extend(map(_Asked, drawn))
            self.sums.n_planned += len(drawn)

    async def _until_clear(self) -> None:
        """Wait until the other side may be asked, and until there is room for its answer."""
        while not self.stopping.is_set():
            wait_s = self.pace.clear_at - self.loop.time()
            if wait_s > 0:
                late_s = wait_s - self.pace.jitter(wait_s)  # not all at once, and none too early
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.stopping.wait(), wait_s + min(1.0, late_s))
            elif not self.keeper.has_room:
                await self.keeper.moved()
            else:
                return

    def _take(self) -> list[_Asked]:
        if self.stopping.is_set() or not self._is_within_budget():
            return []
        return [self.ready.popleft() for _ in range(min(self.engine.batch_size, len(self.ready)))]

    async def _ask(self, asked: Sequence[_Asked]) -> None:
        sent_at = self.loop.time()
        self.n_in_flight += len(asked)
        try:
            results = await self.engine.complete([one.request for one in asked])
        finally:
            self.n_in_flight -= len(asked)
        ended = []
        for one, result in zip(asked, results, strict=True):
            one.n_attempts += 1
            is_last = True
            if isinstance(result, Failure):
                is_last = self._failed(one, result, sent_at)
            else:
                self._answered(result)
            ended.append((Ended(one.request, one.n_attempts, result), is_last))
        self.keeper.add(ended)

    def _answered(self, completion: Completion) -> None:
        self.n_answers += 1
        self.pace.answered()
        self._hire()
        prompt, answer = completion.n_prompt_tokens or 0, completion.n_completion_tokens or 0
        self.sums.n_prompt_tokens += prompt
        self.sums.n_completion_tokens += answer
        if self.limits.prices and self.sums.usd is not None:
            self.sums.usd += self.limits.prices.usd(prompt, answer)
        if self.limits.has_budget and completion.n_completion_tokens is None:
            self._stop(Ending.BUDGET, "the endpoint tells no tokens, so no budget can be kept; leave the budget out")

    def _failed(self, asked: _Asked, failure: Failure, sent_at: float) -> bool:
        """Take note of a failure, and return whether its request is given up."""
        self._set_pace(failure, sent_at)
        asked.n_faults += failure.kind is not FailureKind.RATE_LIMITED
        is_last = failure.kind in FINAL or asked.n_faults >= self.limits.max_attempts
        if failure.kind is FailureKind.UNAUTHORISED:
            self._stop(Ending.UNAUTHORISED, failure.detail)
            is_last = False  # the request may be asked again, with another key
        if failure.kind is FailureKind.BAD_REQUEST and not self.n_answers:
            self.n_bad += 1
            if self.n_bad >= ALL_BAD:
                self._stop(Ending.UNUSABLE, failure.detail)
        if not is_last:
            pause_s = self.pace.jitter(min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** max(0, asked.n_faults - 1)))
            self.n_later += 1
            self.loop.call_later(pause_s, self._again, asked)
        return is_last

    def _set_pace(self, failure: Failure, sent_at: float) -> None:
        now = self.loop.time()
        if failure.kind is FailureKind.RATE_LIMITED:
            self.pace.rate_limited(now, sent_at=sent_at, retry_after_s=failure.retry_after_s)
        elif failure.retry_after_s is not None:
            self.pace.asked_to_wait(now, failure.retry_after_s)
        elif failure.kind is FailureKind.CONNECTION:
            self.pace.unreachable(now)
        if self.pace.parked_s is not None and self.sums.ending is not Ending.PARKED:
            self._stop(Ending.PARKED, failure.detail)
            self.sums.resume_at = utc_now() + timedelta(seconds=self.pace.parked_s)

    def _again(self, asked: _Asked) -> None:
        self.n_later -= 1
        self.ready.appendleft(asked)  # its neighbours' prefix may still be warm
        self._hire()
        self._look_whether_idle()

    # stopping -----------------------------------------------------------------------------------------------------

    def _is_within_budget(self) -> bool:
        """Return whether one more request fits, taking those in flight for as dear as the mean so far."""
        sums, limits = self.sums, self.limits
        if not limits.has_budget:
            return True
        ahead = 1 + (self.n_in_flight + 1) / max(1, self.n_answers)
        over_tokens = limits.budget_tokens is not None and sums.n_tokens * ahead >= limits.budget_tokens
        over_usd = limits.budget_usd is not None and (sums.usd or 0.0) * ahead >= limits.budget_usd
        if over_tokens or over_usd:
            self._stop(Ending.BUDGET, "the budget is used up")
        return not self.stopping.is_set()

    def _stop(self, ending: Ending, detail: str | None) -> None:
        """Send nothing more; the first reason counts."""
        if not self.stopping.is_set():
            self.sums.ending, self.sums.detail = ending, detail
            self.stopping.set()
            self._look_whether_idle()

    def _abandon(self) -> None:
        for worker in self.workers:
            worker.cancel()

    def _signalled(self) -> None:
        if self.stopping.is_set():
            self._abandon()
        self._stop(Ending.INTERRUPTED, None)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Take Ctrl-C and SIGTERM as a wish to stop; on a thread that gets no signals, leave them alone."""
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            for number in before:
                self.loop.add_signal_handler(number, self._signalled)
        except (ValueError, RuntimeError):
            yield
            return
        try:
            yield
        finally:
            for number, handler in before.items():
                self.loop.remove_signal_handler(number)
                signal.signal(number, handler)

    # telling ------------------------------------------------------------------------------------------------------

    async def _tick(self) -> None:
        while True:
            self._tell()
            await asyncio.sleep(TICK_S)

    def _tell(self) -> None:
        now = self.loop.time()
        self.tell(
            Progress(
                n_done=self.sums.n_done,
                n_failed=self.sums.n_failed,
                n_in_flight=self.n_in_flight,
                n_total=self.n_total,
                n_tokens=self.sums.n_tokens,
                elapsed_s=now - self.started_at,
                wait_s=max(0.0, self.pace.clear_at - now),
            )
        )
