import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsodata.evals.logistic import Observation, fit_logistic, sigmoid


def test_a_constant_alone_gives_the_log_odds_of_the_weighted_share():
    rows = [Observation((1.0,), 1.0, 3.0), Observation((1.0,), 0.0, 1.0)]

    assert fit_logistic(rows) == pytest.approx([math.log(3)])


def test_a_soft_label_counts_as_both_labels_in_part():
    soft = [Observation((1.0, 2.0), 0.25), Observation((1.0, -1.0), 0.5)]
    hard = [Observation(row.features, y, w) for row in soft for y, w in ((1.0, row.label), (0.0, 1 - row.label))]

    assert fit_logistic(soft) == pytest.approx(fit_logistic(hard))


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(0.05, 0.95)), min_size=4, max_size=30))
def test_at_the_fit_the_gradient_is_zero(pairs):
    rows = [Observation((1.0, x), y) for x, y in pairs]
    try:
        beta = fit_logistic(rows)
    except ValueError:  # all x are equal, or nearly
        assert max(x for x, _ in pairs) - min(x for x, _ in pairs) < 1e-3
        return
    for i in range(2):
        slope = sum((y - sigmoid(beta[0] + beta[1] * x)) * (1.0, x)[i] for x, y in pairs)
        assert abs(slope) < 1e-6


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([Observation((1.0,), 1.0), Observation((2.0,), 1.0)], "separated|says nothing"),
        ([Observation((1.0, 1.0), 1.0), Observation((2.0, 2.0), 0.0)], "says nothing"),
    ],
)
def test_a_fit_without_a_best_answer_is_refused(rows, problem):
    with pytest.raises(ValueError, match=problem):
        fit_logistic(rows)


def test_the_sigmoid_does_not_overflow():
    assert (sigmoid(-1000.0), sigmoid(0.0), sigmoid(1000.0)) == (0.0, 0.5, 1.0)
