import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsodata.importers.candidates import draws
from tsodata.importers.context import Refused
from tsodata.importers.verdicts import read_number
from tsodata.records import Source


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (4, (4.0, None)),
        ("4.5", (4.5, None)),
        (-1, (-1.0, None)),  # a number is not judged here: importers know which numbers mean none
        ("n/a", (None, "not_applicable")),
        ("", (None, "no_score")),
        (None, (None, "no_score")),
        (Decimal("4.5"), (4.5, None)),
        ("9/10", (None, "not_parsed")),
        ("1_0", (None, "not_parsed")),
        (math.inf, (None, "not_parsed")),
        (10**400, (None, "not_parsed")),
    ],
)
def test_a_number_is_read_or_there_is_a_reason(value, expected):
    assert read_number(value, "score") == expected


@given(value=st.none() | st.integers() | st.floats() | st.text())
def test_what_is_read_is_a_finite_number_or_a_reason_never_both(value):
    read = read_number(value, "score")

    assert (read.value is None) != (read.reason is None)
    assert read.value is None or math.isfinite(read.value)


@pytest.mark.parametrize("value", [True, [4], {"score": 4}, b"4"])
def test_what_cannot_be_a_number_refuses_its_row(value):
    with pytest.raises(Refused, match="neither a number nor text"):
        read_number(value, "score")


@given(names=st.lists(st.sampled_from("abc"), max_size=9))
def test_draws_of_each_source_are_counted_from_nought_without_a_gap(names):
    counted = draws([Source.model(name) for name in names])

    for name in set(names):
        mine = [number for number, other in zip(counted, names, strict=True) if other == name]
        assert mine == list(range(len(mine)))
