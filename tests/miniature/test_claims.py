"""What the claims measure, on curves and marks written by hand, and the verdicts of the page."""

from pathlib import Path

import pytest
from miniature.claims import VERDICTS, claims
from miniature.diagnosis import is_peoples
from miniature.page import KEPT, PAGE, kept
from miniature.summary import Results
from miniature.tables import agreed, by_score, curve, last

ROOT = Path(__file__).resolve().parents[2]
CURVES = [[1, 0.0, -0.0, 0.0, 0.5, 0.05, 0.0], [2, 0.2, -0.4, 0.6, 1.0, 0.03, 0.0], [3, 0.4, -0.8, 1.2, 1.0, 0.01, 1.0]]
SEED = {
    "one-pass": {"dpo": {"curves": CURVES}, "separate": {"curves": CURVES, "score": 9.0}},
    "minibatches": {
        "thirds-dpo-1": {"curves": CURVES},
        "thirds-dpo-2": {"curves": [[1, 0, 0, 0, 0, 0.049, 0]]},
        "thirds-separate-3": {"score": 8.5},
    },
    "correction": {
        "agreement": [
            ["both judges", "bias", {"judge": "careless"}, 1.5, 10],
            ["moved", "bias", {"judge": "corrected"}, -1.0, 10],
            ["both judges", "mean absolute difference", {"judge": "careless"}, 2.0, 10],
            ["both judges", "mean absolute difference", {"judge": "corrected"}, 1.5, 10],
        ]
    },
}


@pytest.fixture(scope="module")
def results():
    return kept((ROOT / PAGE).with_suffix("") / KEPT)


def measure(results, statement):
    (found,) = [claim.measure for claim in claims(results) if claim.statement == statement]
    return found


def test_curves_are_read_by_name_and_last_is_the_second_half():
    assert curve(SEED, "one-pass", "dpo", "margin") == [0.0, 0.6, 1.2]
    assert last("one-pass", "dpo", "chosen_reward")(SEED) == pytest.approx(0.3)  # of steps 2 and 3


def test_the_fall_of_the_gradient_is_measured_in_the_last_third_against_half_of_the_start(results):
    fall = measure(results, "in one pass DPO's gradient scale falls below half of its start")
    reset = measure(results, "a new reference sets it back: stage 2 begins above the end of stage 1")

    assert fall(SEED) == pytest.approx(0.05 / 2 - 0.01)
    assert reset(SEED) == pytest.approx(0.049 - 0.01)


def test_minibatches_are_compared_with_one_pass_within_the_seed(results):
    better = measure(results, "three minibatches score above one pass (dual clip)")

    assert better(SEED) == pytest.approx(-0.5)


def test_the_judge_is_better_where_its_difference_falls(results):
    falls = measure(results, "with the correction the judge's mean absolute difference falls")

    assert falls(SEED) == pytest.approx(0.5)
    assert agreed(SEED, "agreement", "bias", "corrected", None) is None  # what moved is no figure of the judge


def test_cells_are_ranked_by_their_exam_and_the_chosen_one_is_left_out(results):
    cells = by_score(results)

    assert len(cells) == 8
    assert cells[0] == "mini/v1/4e-05"
    assert "mini/v3/0.00033" not in cells


def test_each_verdict_has_a_word_and_the_page_has_no_claim_without_one(results):
    assert isinstance(results, Results)
    found = [results.over(claim.measure).verdict for claim in claims(results)]

    assert set(found) <= set(VERDICTS)
    assert len(found) == 45


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("sort 4182: 1 2 4 8 so 1248", False),
        ("um sort 4182: so 1248", False),
        ("sort 4182: 1, 2, 4, 8 so 1248", True),
        ("sort 4182: 1 2 4 8 thus 1248", True),
        ("sort 4182: 1; 2 so 12", True),
    ],
)
def test_peoples_style_is_known_by_its_marks_and_words(answer, expected):
    assert is_peoples(answer) is expected
