"""Calibration: the rising map by hand and as scikit-learn fits it, in the store, in SQL, and in a build."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from tsodata.builds import build_pairs
from tsodata.correcting.calibrating import CalibrationQuestion, calibrate
from tsodata.correcting.isotonic import RisingMap, fit_rising
from tsodata.errors import RecipeError, UnknownNameError, UsageError
from tsodata.provenance import Run
from tsodata.recipes import Pool, Recipe, ScoreChoice
from tsodata.store import Store

NUMBERS = st.integers(-20, 20).map(float)


def test_neighbours_that_fall_are_pooled_and_equal_x_are_one_point():
    fitted = fit_rising([(1, 2), (1, 4), (2, 1), (3, 5), (4, 9), (5, 7)])

    # x = 1 says 3, with 2 it falls to 1: pooled (2 + 4 + 1) / 3; 4 and 5 fall from 9 to 7: pooled 8
    assert fitted == RisingMap((1, 2, 3, 4, 5), (7 / 3, 7 / 3, 5, 8, 8))
    assert [fitted(x) for x in (0, 1.5, 2.5, 3.25, 9)] == pytest.approx([7 / 3, 7 / 3, (7 / 3 + 5) / 2, 5.75, 8])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=30), st.lists(NUMBERS, min_size=1, max_size=10))
def test_the_map_is_that_of_scikit_learn_and_never_falls(points, asked):
    fitted = fit_rising(points)
    known = IsotonicRegression(out_of_bounds="clip").fit(*zip(*points, strict=True))

    assert [fitted(x) for x in asked] == pytest.approx(known.predict(asked).tolist(), abs=1e-9)
    assert list(fitted.ys) == sorted(fitted.ys)
    assert list(fitted.xs) == sorted(set(fitted.xs))


def generous(n, seed=1):
    """Return what a generous judge gives two answers each to n prompts, and what people give: about two points less."""
    draw = random.Random(seed)
    judged = {(f"q{i}", size): draw.randint(4, 10) for i in range(n) for size in (7, 13)}
    return judged, {place: max(2, value - 2 + draw.choice([-0.5, 0, 0.5])) for place, value in judged.items()}


@pytest.fixture
def fit(store):
    def run_once(**asked):
        with store.run(Run.of_process({})) as run:
            return calibrate(store, CalibrationQuestion(**asked), run=run)

    return run_once


@pytest.fixture
def biased(scored, corrected):
    judged, people = generous(30)
    scored({place: {"j": value} for place, value in judged.items()})
    corrected(people)


@pytest.mark.usefixtures("biased")
def test_a_map_takes_the_bias_off_answers_that_it_was_not_fitted_on(store, fit):
    (found,) = fit().maps

    assert found.dimension == "logic"
    assert found.n_items + found.tried.n == 60
    assert found.n_items == 2 * found.n_prompts  # both answers to a prompt are on one side
    assert found.tried.bias > 1.7
    assert abs(found.tried.bias_calibrated) < 0.4
    assert found.tried.mae_calibrated < found.tried.mae
    stored = store.sql("select judge, rubric, dimension, n_items, n_prompts, share, seed from v_calibrations").rows()
    assert stored == [("j", "paper", "logic", found.n_items, found.n_prompts, 0.7, 43)]


@pytest.mark.usefixtures("biased")
def test_the_same_map_is_stored_once_and_a_view_applies_the_latest(store, fit):
    first, again = fit().maps[0], fit().maps[0]
    other = fit(share=1.0).maps[0]

    assert (first.is_new, again.is_new, other.is_new, other.tried.n) == (True, False, True, 0)
    assert fit().maps[0].is_new  # back to the first one is a change
    rising = RisingMap(first.judged, first.corrected)
    rows = store.sql("select mark, calibrated from v_calibrated_marks").rows()
    assert len(rows) == 60
    assert [calibrated for _, calibrated in rows] == pytest.approx([rising(mark) for mark, _ in rows])


@settings(deadline=None, max_examples=10)
@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=12), st.lists(NUMBERS, min_size=1, max_size=8))
def test_sql_reads_a_map_as_python_does(points, asked):
    fitted = fit_rising(points)
    with Store.in_memory() as reader:
        sql = "select list_transform($asked::double[], lambda x: tso_calibrated(x, $xs::double[], $ys::double[]))"
        values = {"xs": list(fitted.xs), "ys": list(fitted.ys), "asked": asked}
        found = reader.connection.execute(sql, values).fetchone()[0]

    assert found == pytest.approx([fitted(x) for x in asked])


RECIPE = Recipe(pools={"matrix": Pool(draw="max_min", candidates=("cells",))}, minibatches=1)


def built(store, name, **scores):
    recipe = RECIPE.with_options(scores=ScoreChoice("j", "paper", **scores))
    with store.run(Run.of_process({})) as run:
        build = build_pairs(store, name, base="m/1/7", recipe=recipe, run=run, allow_short=True)
    sql = "select prompt_id, chosen_score, rejected_score from v_pairs where build = $b order by all"
    return build, store.sql(sql, {"b": name}).rows()


def test_a_calibrated_recipe_draws_by_the_mapped_scores_and_says_by_which_map(store, scored, fit):
    judged, people = generous(30)
    scored({place: {"j": value, "big": people[place]} for place, value in judged.items()})
    plain = built(store, "plain")[1]
    with pytest.raises(RecipeError, match="have no calibration in logic; make them with tso-data calibrate --judge j"):
        built(store, "early", calibrated=True)
    (found,) = fit(judge="j", against="big").maps
    mapped = built(store, "mapped", calibrated=True)[1]

    rising = RisingMap(found.judged, found.corrected)
    expected = [(prompt, rising(chosen), rising(rejected)) for prompt, chosen, rejected in plain]
    kept = [row for row in expected if row[1] != row[2]]  # what the map makes equal is a tie
    assert [prompt for prompt, *_ in mapped] == [prompt for prompt, *_ in kept]
    assert [row[1:] for row in mapped] == [pytest.approx(row[1:], abs=1e-6) for row in kept]
    ids = store.sql("select json_extract_string(resolved, '$.calibrations[0]') from v_builds where build = 'mapped'")
    assert ids.item() == store.sql("select calibration_id from v_calibrations").item()


def test_a_recipe_that_is_not_calibrated_has_the_body_and_the_build_that_it_had(store, scored, fit):
    judged, people = generous(30)
    scored({place: {"j": value, "big": people[place]} for place, value in judged.items()})
    before = built(store, "before")
    fit(judge="j", against="big")
    after = built(store, "after")

    assert "calibrated" not in RECIPE.body()
    assert "calibrated" in RECIPE.with_options(scores=ScoreChoice(calibrated=True)).body()
    assert before[1] == after[1]
    assert store.sql("select count(distinct build_id) from v_builds").item() == 1


def test_people_come_before_a_stronger_judge_in_a_builds_scores(store, scored, corrected):
    scored({("q", 7): {"j": 2}, ("q", 13): {"j": 9}})
    corrected({("q", 7): 5}, author="big", kind="model")
    corrected({("q", 13): 3}, author="big", kind="model")
    corrected({("q", 13): 8}, author="ann")

    assert [row[1:] for row in built(store, "b")[1]] == [(8.0, 5.0)]


def test_too_little_to_fit_on_and_what_cannot_be_meant_is_told(store, scored, corrected, fit):
    scored({("q", 7): {"j": 5}})
    with pytest.raises(UsageError, match="have looked at no answer in common"):
        fit()
    corrected({("q", 7): 4})

    for asked, error, words in (
        ({"share": 1.0}, UsageError, "1 answers to fit on in a dimension at most; at least 10"),
        ({"share": 0.0}, UsageError, "--share 0"),
        ({"judge": "x"}, UnknownNameError, "no scores of judge x"),
        ({"against": "x"}, UnknownNameError, "nobody called 'x'"),
    ):
        with pytest.raises(error, match=words):
            fit(**asked)
    assert store.sql("select count(*) from calibrations").item() == 0
