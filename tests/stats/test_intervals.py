"""The exact interval, against scipy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from tsodata.stats.intervals import exact_interval


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_exact_interval_is_that_of_scipy(case):
    hits, n = case

    found, known = exact_interval(hits / n, n), binomtest(hits, n).proportion_ci(0.95, "exact")

    assert (found.low, found.high) == pytest.approx((known.low, known.high), abs=1e-9)


def test_a_million_items_take_no_longer_to_be_exact():
    found, known = exact_interval(0.3, 1_000_000), binomtest(300_000, 1_000_000).proportion_ci(0.95, "exact")

    assert (found.low, found.high) == pytest.approx((known.low, known.high), abs=1e-9)


def test_none_of_ten_may_still_be_three_in_ten():
    found = exact_interval(0.0, 10)  # 1 - 0.025 ** (1 / 10)

    assert (found.low, found.high) == (0.0, pytest.approx(0.30849710781876083, abs=1e-12))


def test_nothing_has_no_interval():
    assert exact_interval(0.0, 0) is None
