"""Verdicts of thresholds, and figures as plain data."""

import pytest

from tsodata.stats.figures import Figure, Threshold
from tsodata.stats.intervals import BOOTSTRAP, Interval

AT_MOST = Threshold("house rule: x", high=0.5)
BETWEEN = Threshold("arXiv 2502.16825", low=-2.5, high=-1.5, within="near", without="off")


@pytest.mark.parametrize(
    ("threshold", "value", "between", "word"),
    [
        (AT_MOST, 0.5, None, "fine"),
        (AT_MOST, 0.6, None, "look"),
        (AT_MOST, 0.4, (0.3, 0.5), "fine"),
        (AT_MOST, 0.4, (0.3, 0.6), "unclear"),
        (AT_MOST, 0.6, (0.51, 0.7), "look"),
        (BETWEEN, -2.0, (-2.1, -1.9), "near"),
        (BETWEEN, -2.0, (-3.0, -1.0), "unclear"),
        (BETWEEN, -1.0, (-1.2, -0.8), "off"),
        (BETWEEN, None, None, None),
    ],
)
def test_a_verdict_is_only_as_sure_as_its_interval(threshold, value, between, word):
    interval = Interval(*between, BOOTSTRAP) if between else None

    assert threshold.verdict(value, interval) == word


def test_a_figure_without_a_threshold_has_no_verdict():
    figure = Figure("length", "log ratio", "nats", {"build": "b"}, 1 / 3, 7)

    assert figure.verdict is None
    assert figure.to_dict() == {
        "section": "length",
        "name": "log ratio",
        "unit": "nats",
        "subject": {"build": "b"},
        "value": 0.3333333333,
        "n": 7,
        "interval": None,
        "threshold": None,
        "verdict": None,
        "sql": "",
    }
