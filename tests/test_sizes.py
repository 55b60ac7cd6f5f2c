"""Sizes of models, as people type and read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsodata.sizes import format_size, parse_size


@pytest.mark.parametrize(
    ("text", "billions"),
    [("7", 7.0), ("13B", 13.0), ("350M", 0.35), ("40K", 4e-05), ("4e-05", 4e-05), ("1.5T", 1500.0)],
)
def test_a_size_is_billions_of_parameters(text, billions):
    assert parse_size(text) == billions


@given(thousands=st.integers(1, 999))
def test_what_is_printed_can_be_typed(thousands):
    size = thousands / 1e6

    assert parse_size(format_size(size)) == size


@pytest.mark.parametrize("text", ["0", "-1", "big", "1e", "7BB", "4e+05"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="is not a number of parameters"):
        parse_size(text)
