"""The runner over an engine that fails as it is told to."""

import os
import signal
import threading
import time

import pytest

from tsodata.engines.protocol import Failure, FailureKind
from tsodata.errors import EndpointError, ParkedError, UsageError
from tsodata.runner import Ending, Limits, Prices, raise_ending

KEYS = list(range(300))


def well(key, _n):
    return f"a{key}"


def failing(kind, *, times=10**6, retry_after_s=None):
    """Return what fails so often, and then answers."""
    return lambda key, n: Failure(kind, "no", retry_after_s) if n <= times else f"a{key}"


def test_every_request_is_asked_once_and_its_answer_kept_once(ask):
    sums, kept, engine = ask(KEYS, well)

    assert sorted(engine.came) == KEYS
    assert kept.answers == {key: f"a{key}" for key in KEYS}
    assert len(kept.ended) == 300
    assert (sums.n_planned, sums.n_done, sums.n_failed, sums.n_left) == (300, 300, 0, 0)
    assert (sums.n_prompt_tokens, sums.n_completion_tokens, sums.ending) == (900, 600, Ending.DONE)
    assert engine.is_closed


def test_nothing_to_ask_is_done_at_once(ask):
    assert ask([], well)[0].n_planned == 0


@pytest.mark.parametrize(("concurrency", "most"), [(20, 100), (80, 160)])
def test_batches_that_are_kept_hold_a_hundred_or_twice_the_calls_at_once(ask, concurrency, most):
    _, kept, _ = ask(KEYS, well, limits={"concurrency": concurrency})

    assert max(map(len, kept)) <= most


def test_an_engine_gets_as_many_requests_a_call_as_it_takes(ask):
    _, kept, engine = ask(KEYS, well, batch_size=16, max_concurrency=1)

    assert set(engine.batches[:-1]) == {16}
    assert engine.most_in_flight == 1
    assert len(kept.answers) == 300


def test_what_one_call_has_brought_is_kept_in_one_batch(ask):
    kept = []

    def keep(batch):  # a slow disk, so that calls of 60 wait while others are committed
        time.sleep(0.05)
        kept.append([ended.request.key for ended in batch])

    ask(KEYS, well, keep=keep, batch_size=60, max_concurrency=1)

    assert [key for batch in kept for key in batch] == KEYS
    assert all(len(batch) % 60 == 0 for batch in kept)


def test_calls_at_once_start_at_eight_and_stay_within_the_limit(ask):
    _, _, engine = ask(KEYS, well, latency_s=0.005, limits={"concurrency": 20})

    assert engine.most_in_flight == 20
    assert ask(list(range(8)), well, latency_s=0.005, limits={"concurrency": 20})[2].most_in_flight == 8


@pytest.mark.parametrize(
    "kind",
    [
        FailureKind.SERVER_ERROR,
        FailureKind.CONNECTION,
        FailureKind.TIMEOUT,
        FailureKind.CUT_BODY,
        FailureKind.NOT_JSON,
        FailureKind.ERROR_IN_BODY,
        FailureKind.NO_CHOICES,
        FailureKind.NULL_CONTENT,
    ],
)
def test_faults_that_may_pass_are_tried_again_and_every_attempt_is_kept(ask, kind):
    sums, kept, _ = ask([1], failing(kind, times=2))

    assert [(ended.attempt, ended.failure and ended.failure.kind) for ended in kept.ended] == [
        (1, kind),
        (2, kind),
        (3, None),
    ]
    assert (sums.n_done, sums.n_failed, sums.failures) == (1, 0, {kind: 2})


def test_a_request_that_fails_too_often_is_given_up(ask):
    sums, kept, engine = ask([1, 2], failing(FailureKind.SERVER_ERROR), limits={"max_attempts": 3})

    assert sorted(engine.came) == [1, 1, 1, 2, 2, 2]
    assert (sums.n_done, sums.n_failed, sums.n_left) == (0, 2, 0)
    assert kept.answers == {}
    assert sums.ending is Ending.DONE


@pytest.mark.parametrize("kind", [FailureKind.REFUSED, FailureKind.TOO_LONG, FailureKind.BAD_REQUEST])
def test_what_would_fail_again_is_not_tried_again(ask, kind):
    sums, _, engine = ask([1], failing(kind))

    assert engine.came == [1]
    assert sums.n_failed == 1


def test_a_rate_limit_is_waited_for_however_often_it_comes(ask):
    sums, kept, _ = ask([1], failing(FailureKind.RATE_LIMITED, times=9, retry_after_s=0.01), limits={"max_attempts": 1})

    assert (sums.n_done, sums.failures[FailureKind.RATE_LIMITED]) == (1, 9)
    assert kept.ended[-1].attempt == 10


def test_a_wait_that_one_call_is_told_is_obeyed_by_all(ask):
    times = {}

    def limited_once(key, n):
        times.setdefault((key, n), time.monotonic())
        return Failure(FailureKind.RATE_LIMITED, "no", 0.3) if (key, n) == (0, 1) else well(key, n)

    ask(KEYS, limited_once, latency_s=0.01, limits={"concurrency": 8})

    told_at = times[0, 1] + 0.01
    assert not [at for at in times.values() if told_at + 0.05 < at < told_at + 0.28]
    assert len([at for at in times.values() if at <= told_at + 0.05]) <= 16


def test_a_wait_longer_than_allowed_parks_what_is_not_done_and_says_until_when(ask):
    sums, kept, engine = ask(KEYS, failing(FailureKind.RATE_LIMITED, retry_after_s=300.0))

    assert sums.ending is Ending.PARKED
    assert len(engine.came) <= 8
    assert (sums.n_done, sums.n_failed) == (0, 0)
    assert sums.failures[FailureKind.RATE_LIMITED] == len(kept.ended) == len(engine.came)
    with pytest.raises(ParkedError, match=r"the same command goes on from \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"):
        raise_ending(sums)


def test_a_refused_key_stops_the_run_and_gives_no_request_up(ask):
    sums, _, engine = ask(KEYS, failing(FailureKind.UNAUTHORISED))

    assert sums.ending is Ending.UNAUTHORISED
    assert len(engine.came) <= 8
    assert sums.n_failed == 0
    with pytest.raises(EndpointError, match=r"refuses the key \(no\)"):
        raise_ending(sums)


def test_bad_requests_and_nothing_else_stop_the_run_before_all_are_spent(ask):
    sums, _, engine = ask(KEYS, failing(FailureKind.BAD_REQUEST))

    assert sums.ending is Ending.UNUSABLE
    assert 20 <= len(engine.came) <= 40
    with pytest.raises(EndpointError, match="refuses every request"):
        raise_ending(sums)


def test_bad_requests_among_answers_stop_nothing(ask):
    sums, _, _ = ask(KEYS, lambda key, n: failing(FailureKind.BAD_REQUEST)(key, n) if key % 2 else well(key, n))

    assert (sums.n_done, sums.n_failed, sums.ending) == (150, 150, Ending.DONE)


def test_a_budget_of_tokens_stops_before_it_is_overspent_by_more_than_a_call(ask):
    sums, kept, _ = ask(KEYS, well, latency_s=0.002, limits={"budget_tokens": 500, "concurrency": 4})

    assert sums.ending is Ending.BUDGET
    assert 485 <= sums.n_tokens <= 520  # 5 tokens an answer
    assert len(kept.answers) * 5 == sums.n_tokens
    assert raise_ending(sums) is None


def test_a_budget_in_dollars_counts_prompts_and_answers_at_their_prices(ask):
    prices = Prices(prompt=1_000_000.0, completion=2_000_000.0)  # 3 + 2 · 2 = 7 dollars an answer
    sums, _, _ = ask(KEYS, well, limits={"budget_usd": 100.0, "concurrency": 1, "prices": prices})

    assert sums.usd == 98.0
    assert sums.n_done == 14


def test_a_budget_cannot_be_kept_where_nobody_tells_tokens(ask):
    sums, _, _ = ask(KEYS, well, tokens=(None, None), limits={"budget_tokens": 10**6, "concurrency": 2})

    assert sums.ending is Ending.BUDGET
    assert "tells no tokens" in sums.detail
    assert sums.n_done <= 2


def test_a_budget_in_dollars_needs_prices():
    with pytest.raises(UsageError, match="needs the model's prices"):
        Limits(budget_usd=1.0)


def test_a_wave_starts_once_the_one_before_is_kept(ask):
    seen = []

    class Watching(list):
        def __call__(self, batch):
            time.sleep(0.05)
            self.append([ended.request.key for ended in batch])

    kept = Watching()

    def note(key, _n):
        seen.append((key, sum(map(len, kept))))
        return "a"

    sums, _, _ = ask([list(range(10)), [10, 11]], note, keep=kept)

    assert sums.n_done == 12
    assert all(n_kept == 10 for key, n_kept in seen if key >= 10)


def test_what_keeping_raises_ends_the_run_and_is_raised(ask):
    def broken(_batch):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        ask(KEYS, well, keep=broken, latency_s=0.001)


def test_what_planning_raises_ends_the_run_after_what_came_is_kept(ask):
    class Broken(list):
        def __iter__(self):
            yield from list.__iter__(self)
            raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        ask([Broken([1, 2, 3])], well)


def test_progress_ends_with_the_sums(ask):
    told = []
    ask(KEYS, well, tell=told.append)

    assert (told[0].n_done, told[-1].n_done, told[-1].n_in_flight) == (0, 300, 0)
    assert told[-1].n_tokens == 1500


def test_keeping_and_planning_take_turns_on_one_thread(ask):
    threads = set()

    class Noted(list):
        def __iter__(self):
            threads.add(threading.current_thread().name)
            return list.__iter__(self)

    def keep(_batch):
        threads.add(threading.current_thread().name)

    ask([Noted(KEYS)], well, keep=keep)

    assert len(threads) == 1
    assert threads != {"MainThread"}


def interrupt_after(seconds, n=1):
    def run():
        for _ in range(n):
            time.sleep(seconds)
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=run, daemon=True).start()


def test_a_signal_lets_what_is_in_flight_end_and_keeps_it(ask):
    before = signal.getsignal(signal.SIGTERM)
    interrupt_after(0.15)
    sums, kept, engine = ask(KEYS, well, latency_s=0.1, limits={"concurrency": 4})

    assert sums.ending is Ending.INTERRUPTED
    assert sorted(kept.answers) == sorted(engine.came)
    assert 0 < sums.n_done < 300
    assert signal.getsignal(signal.SIGTERM) is before
    with pytest.raises(KeyboardInterrupt):
        raise_ending(sums)


def test_a_second_signal_gives_up_what_is_in_flight_and_keeps_what_came(ask):
    started = time.monotonic()
    interrupt_after(0.2, n=2)

    sums, kept, _ = ask([0, 1, 2, *range(100, 110)], well, latency_s=60, limits={"concurrency": 4})

    assert time.monotonic() - started < 5
    assert sums.ending is Ending.INTERRUPTED
    assert kept.answers == {}
    assert sums.n_left == sums.n_planned
