"""The pace of an endpoint, by hand."""

import random

import pytest

from tsodata.runner.pace import Pace


class Middle(random.Random):
    """Draws the middle of every range, so that waits can be worked by hand."""

    def uniform(self, a, b):
        return (a + b) / 2


def pace(most=100, max_wait_s=120.0):
    return Pace(most, max_wait_s=max_wait_s, draw=Middle())


def answer(paced, n):
    for _ in range(n):
        paced.answered()


def test_it_starts_with_eight_and_doubles_with_each_round_of_answers():
    paced = pace()

    limits = []
    for n in (7, 1, 16, 32, 64):
        answer(paced, n)
        limits.append(paced.limit)

    assert limits == [8, 16, 32, 64, 100]


def test_it_never_starts_above_the_most():
    assert pace(most=3).limit == 3


def test_a_rate_limit_halves_it_and_from_then_on_it_grows_by_one_a_round():
    paced = pace()
    answer(paced, 8 + 16)
    assert paced.limit == 32

    paced.rate_limited(10.0, sent_at=9.0, retry_after_s=None)
    assert paced.limit == 16
    answer(paced, 16)
    assert paced.limit == 17
    answer(paced, 17)
    assert paced.limit == 18


def test_calls_that_left_before_the_cut_do_not_cut_again():
    paced = pace()
    paced.rate_limited(10.0, sent_at=9.0, retry_after_s=1.0)
    paced.rate_limited(10.1, sent_at=9.5, retry_after_s=5.0)

    assert paced.limit == 4
    assert paced.clear_at == 15.1  # but what they are told counts


def test_it_never_falls_below_one():
    paced = pace()
    for now in range(6):
        paced.rate_limited(float(now), sent_at=float(now), retry_after_s=0.0)

    assert paced.limit == 1


def test_without_a_stated_wait_it_waits_for_one_second_then_two_then_four_less_some_jitter():
    paced = pace()
    waits = []
    for now in (10.0, 20.0, 30.0):
        paced.rate_limited(now, sent_at=now, retry_after_s=None)
        waits.append(paced.clear_at - now)

    assert waits == [0.75, 1.5, 3.0]


def test_an_answer_in_between_starts_the_waits_anew():
    paced = pace()
    paced.rate_limited(10.0, sent_at=10.0, retry_after_s=None)
    paced.answered()
    paced.rate_limited(20.0, sent_at=20.0, retry_after_s=None)

    assert paced.clear_at == 20.75


def test_a_wait_for_longer_than_allowed_parks():
    paced = pace(max_wait_s=120)
    paced.rate_limited(10.0, sent_at=9.0, retry_after_s=120.0)
    assert paced.parked_s is None

    paced.answered()
    paced.rate_limited(20.0, sent_at=20.0, retry_after_s=300.0)
    assert paced.parked_s == 300.0


def test_short_waits_that_never_end_park_too():
    paced = pace(max_wait_s=10)
    now = 0.0
    while paced.parked_s is None and now < 100:
        paced.rate_limited(now, sent_at=now, retry_after_s=4.0)
        now += 4.0

    assert now == 12.0  # refused at 0, 4 and 8: the wait until 12 would be the one too many


def test_a_wait_that_goes_with_another_fault_is_obeyed_without_a_cut():
    paced = pace()
    paced.asked_to_wait(10.0, 7.0)

    assert (paced.limit, paced.clear_at) == (8, 17.0)


def test_one_call_that_finds_nobody_does_not_stop_the_others_but_a_whole_round_does():
    paced = pace()
    for _ in range(8):
        paced.unreachable(10.0)
    assert paced.clear_at < 10.0

    paced.unreachable(10.0)
    assert paced.clear_at == 10.75
    assert paced.limit == 8


def test_jitter_is_between_half_and_all():
    drawn = [Pace(1, max_wait_s=1).jitter(8.0) for _ in range(200)]

    assert all(4.0 <= seconds <= 8.0 for seconds in drawn)
    assert max(drawn) - min(drawn) == pytest.approx(4.0, abs=0.5)
