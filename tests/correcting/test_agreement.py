"""Agreement: numbers worked by hand, and what scikit-learn, krippendorff and scipy say of the same values."""

import json
import random
from collections import Counter
from datetime import timedelta

import krippendorff
import numpy as np
import pytest
from scipy.stats import binomtest, spearmanr
from sklearn.metrics import cohen_kappa_score

from tsodata.correcting.agreement import AgreementQuestion, measure_agreement
from tsodata.correcting.comparing import compare_judges, mcnemar
from tsodata.correcting.standing_in import correct_by_judge
from tsodata.errors import UnknownNameError, UsageError
from tsodata.provenance import Run, stream_seed
from tsodata.stats.measuring import keep_draws

from .conftest import MADE_AT

JUDGED = {("p", 7): 2, ("p", 13): 4, ("q", 7): 6, ("q", 13): 8}
PEOPLE = {("p", 7): 4, ("p", 13): 4, ("q", 7): 6, ("q", 13): 10}
BIAS, MAE, KAPPA = "bias", "mean absolute difference", "quadratic-weighted kappa"
ALPHA, RHO, PAIRS = "Krippendorff's alpha", "Spearman's rho", "pairs in the same order"


def figures(report, section="scores", **subject):
    return {
        figure.name: figure
        for figure in report.figures
        if figure.section == section and subject.items() <= figure.subject.items()
    }


def values(report, section="scores", **subject):
    return {name: figure.value for name, figure in figures(report, section, **subject).items()}


def judged_by(name, scores):
    return {place: {name: value} for place, value in scores.items()}


def many(n, seed):
    """Return scores from 2 to 10 of two answers each to n prompts, and what a noisy second rater says."""
    draw = random.Random(seed)
    first = {(f"q{i}", size): draw.randint(2, 10) for i in range(n) for size in (7, 13)}
    second = {place: min(10, max(2, value + draw.choice([-2, -1, 0, 0, 1, 3]))) for place, value in first.items()}
    return first, second


def test_judge_and_people_by_hand(store, scored, corrected):
    scored(judged_by("j", JUDGED))
    corrected(PEOPLE)

    found = figures(measure_agreement(store))

    assert {name: figure.n for name, figure in found.items()} == dict.fromkeys((BIAS, MAE, KAPPA, ALPHA, RHO), 4) | {
        PAIRS: 1  # people give both answers to p the same
    }
    assert {name: figure.value for name, figure in found.items()} == pytest.approx(
        {
            BIAS: -1,  # (2 + 4 + 6 + 8 - 4 - 4 - 6 - 10) / 4
            MAE: 1,
            KAPPA: 1 - 2 / 12,  # mean square of the differences 2; of all with all 30 + 42 - 2 * 5 * 6
            ALPHA: 1 - 2 / (2 / 7 * (288 - 44**2 / 8)),
            RHO: 4.5 / (5 * 4.5) ** 0.5,  # people's ranks are 1.5, 1.5, 3, 4
            PAIRS: 1,
        }
    )


def test_a_judge_that_does_not_tell_two_answers_apart_has_half_a_pair_right(store, scored, corrected):
    scored(judged_by("j", {("p", 7): 5, ("p", 13): 5, ("q", 7): 9, ("q", 13): 3}))
    corrected({("p", 7): 2, ("p", 13): 4, ("q", 7): 4, ("q", 13): 6})

    assert values(measure_agreement(store))[PAIRS] == 0.25  # half of the one, and the other the wrong way round


def test_the_figures_are_those_of_the_packages_that_people_know(store, scored, corrected):
    first, second = many(40, seed=1)
    scored(judged_by("j", first))
    corrected(second)
    a, b = list(first.values()), [second[place] for place in first]

    found = values(measure_agreement(store))

    assert found[KAPPA] == pytest.approx(cohen_kappa_score(a, b, weights="quadratic", labels=range(2, 11)), abs=1e-12)
    assert found[ALPHA] == pytest.approx(krippendorff.alpha([a, b], level_of_measurement="interval"), abs=1e-12)
    assert found[RHO] == pytest.approx(spearmanr(a, b).statistic, abs=1e-12)


def test_among_people_alpha_counts_each_mark_once_however_many_marked_an_answer(store, scored, corrected):
    first, second = many(15, seed=2)
    _, third = many(15, seed=3)
    scored(judged_by("j", first))
    corrected(first, author="ann")
    corrected(second, author="bob")
    corrected({place: third[place] for place in list(first)[:11]}, author="cy")
    marks = [
        [float(people.get(place, np.nan)) for place in first]
        for people in (first, second, dict(list(third.items())[:11]))
    ]

    found = figures(measure_agreement(store), "people among themselves")

    assert found[ALPHA].value == pytest.approx(krippendorff.alpha(marks, level_of_measurement="interval"), abs=1e-12)
    assert found[ALPHA].n == 11 * 3 + 19
    assert BIAS not in found  # two people have no order


def test_two_people_among_themselves_have_the_kappa_of_both_orders(store, scored, corrected):
    first, second = many(15, seed=4)
    scored(judged_by("j", first))
    corrected(first, author="ann")
    corrected(second, author="bob")
    a, b = list(first.values()), [second[place] for place in first]

    found = values(measure_agreement(store), "people among themselves")

    assert found[KAPPA] == pytest.approx(cohen_kappa_score(a + b, b + a, weights="quadratic", labels=range(2, 11)))
    assert found[RHO] == pytest.approx(spearmanr(a + b, b + a).statistic)


def test_the_intervals_are_those_of_a_plain_loop_over_the_draws(store, scored, corrected):
    first, second = many(12, seed=5)
    scored(judged_by("j", first))
    corrected(second)
    blocks = dict(store.sql("select text, prompt_key % 1024 from prompts").rows())
    with store.reader() as reader:
        keep_draws(reader, stream_seed(43, "bootstrap"))
        weights = {(r, b): w for r, b, w in reader.connection.execute("select * from draws").fetchall()}
    rhos, kappas = [], []
    for replicate in range(1, 1001):
        taken = [place for place in first for _ in range(weights.get((replicate, blocks[place[0]]), 0))]
        a, b = (np.array([scores[place] for place in taken]) for scores in (first, second))
        if taken and np.ptp(a) and np.ptp(b):
            rhos.append(spearmanr(a, b).statistic)
            kappas.append(1 - np.mean((a - b) ** 2) / np.mean((a[:, None] - b[None, :]) ** 2))

    found = figures(measure_agreement(store))

    for name, replicates in ((RHO, rhos), (KAPPA, kappas)):
        low, high = np.quantile(replicates, [0.025, 0.975])
        assert (found[name].interval.low, found[name].interval.high) == pytest.approx((low, high))


def test_another_scale_is_stretched_onto_the_judges(store, scored):
    scored(judged_by("j", {("p", 7): 6, ("q", 7): 10}))
    scored(judged_by("k", {("p", 7): 2, ("q", 7): 4}), rubric="stars", scale_min=1, scale_max=5)

    found = figures(measure_agreement(store, AgreementQuestion(("j",), "k")))

    assert found[BIAS].value == pytest.approx(((6 - 4) + (10 - 8)) / 2)  # 2 of 1 to 5 is 4 of 2 to 10
    assert found[BIAS].subject == {"judge": "j", "rubric": "paper", "against": "k", "against_rubric": "stars"}


def test_groups_are_by_dimension_and_cell_and_every_figures_sql_lists_its_rows(store, scored, corrected):
    first, second = many(6, seed=6)
    scored(judged_by("j", first))
    corrected(second)

    report = measure_agreement(store, AgreementQuestion(by=("dimension", "cell")))

    sizes = {figure.subject.get("cell"): figure.n for figure in report.figures if figure.name == BIAS}
    assert sizes == {"m/1/7": 6, "m/1/13": 6}
    small = [place for place in first if place[1] == 7]
    bias = sum(first[place] - second[place] for place in small) / 6
    assert values(report, cell="m/1/7", dimension="logic")[BIAS] == pytest.approx(bias)
    assert [len(store.sql(figure.sql)) for figure in report.figures] == [figure.n for figure in report.figures]


def test_the_last_word_of_a_person_counts_and_several_people_count_with_their_mean(store, scored, corrected):
    scored(judged_by("j", {("p", 7): 5, ("q", 7): 5}))
    corrected({("p", 7): 9, ("q", 7): 5}, author="ann")
    corrected({("p", 7): 7}, author="bob")
    corrected({("p", 7): 8}, author="ann", made_at=MADE_AT + timedelta(days=1))

    assert values(measure_agreement(store))[BIAS] == (5 - (8 + 7) / 2 + 0) / 2


def test_a_stronger_judge_may_stand_for_people_and_is_one_rater_in_scores_and_corrections(store, scored):
    scored({("p", 7): {"j": 4, "big": 6}, ("q", 7): {"j": 8, "big": 7}})
    with store.run(Run.of_process({})) as run:
        correct_by_judge(store, "big", run=run)

    found = figures(measure_agreement(store, AgreementQuestion(("j",), "big")))

    assert (found[BIAS].value, found[BIAS].n) == (-0.5, 2)


def verdict(prompt, value, judge="k", models=("one", "two")):
    answers = {f"output_{n}": f"{model} says {prompt}" for n, model in enumerate(models, 1)}
    names = {f"generator_{n}": model for n, model in enumerate(models, 1)}
    return {"instruction": prompt, **answers, **names, "annotator": judge, "preference": value}


def test_two_judges_of_the_same_two_answers_agree_on_verdicts_and_on_sides(store, run_import):
    run_import("alpaca-eval-annotations", [verdict(f"q{i}", value) for i, value in enumerate([1, 1, 2, 1.5])])
    others = [1, 2, 1.9, 1]  # soft: 1.9 is a win of the second
    run_import(
        "alpaca-eval-annotations", [verdict(f"q{i}", v, "soft") for i, v in enumerate(others)], name="soft.jsonl"
    )

    report = measure_agreement(store, AgreementQuestion(("k",), "soft"))

    found = figures(report, "preferences")
    assert (found["same verdict"].value, found["same verdict"].n) == (0.5, 4)
    assert (found["same side"].value, found["same side"].n) == (pytest.approx(2 / 3), 3)
    assert found[KAPPA].value == pytest.approx(
        cohen_kappa_score(*verdict_labels(store), weights="quadratic", labels=[0, 1, 2])
    )
    assert [len(store.sql(figure.sql)) for figure in report.figures] == [figure.n for figure in report.figures]


def verdict_labels(store):
    """Return the two judges' verdicts for the answer with the smaller key: 0, 1 or 2."""
    rows = store.sql(
        "select judge, prompt_key, 1 + sign(if(response_a_key < response_b_key, preference, 1 - preference) - 0.5) "
        "from preferences order by all"
    ).rows()
    return [[int(label) for judge, _, label in rows if judge == name] for name in ("k", "soft")]


def test_judges_that_compared_with_other_answers_are_compared_by_what_an_answer_wins(store, run_import):
    rows = [verdict(f"q{i}", value, models=("base", "new")) for i, value in enumerate([2, 2, 1])]
    run_import("alpaca-eval-annotations", rows)
    others = [verdict(f"q{i}", value, "soft", models=("strong", "new")) for i, value in enumerate([1.5, 2, 1])]
    run_import("alpaca-eval-annotations", others, name="soft.jsonl")

    found = values(measure_agreement(store, AgreementQuestion(("k",), "soft")), "wins")

    assert found[BIAS] == pytest.approx((1 + 1 + 0 - 0.5 - 1 - 0) / 3)


def test_each_persons_vote_counts_for_a_judge_and_people_are_compared_two_by_two(store, run_import):
    fields = {"instruction": "Name a river.", "response_1": "The Po.", "response_2": "No."}
    votes = {
        "best": [{"value": f"response_{side}", "user_id": who} for who, side in (("ann", 1), ("bob", 1), ("cy", 2))]
    }
    record = {"id": "1", "fields": fields, "metadata": {}, "responses": votes}
    suggestion = {"suggestions": {"best": {"value": "response_1", "agent": "model-j"}}}
    run_import("argilla", [{**record, **suggestion}], dataset="d")

    report = measure_agreement(store)

    assert values(report, "preferences", judge="model-j")["same verdict"] == pytest.approx(2 / 3)
    assert values(report, "people among themselves, preferences")["same verdict"] == pytest.approx(1 / 3)


BEFORE = {("a", 7): 8, ("b", 7): 3, ("c", 7): 8, ("d", 7): 2, ("e", 7): 9}
AFTER = {("a", 7): 9, ("b", 7): 7, ("c", 7): 4, ("d", 7): 7, ("e", 7): 7}
TRUTH = {("a", 7): 9, ("b", 7): 8, ("c", 7): 3, ("d", 7): 3, ("e", 7): 5}


def test_the_report_of_a_correction_tells_what_was_rescued_caught_and_broken(store, scored, corrected):
    scored({place: {"old": BEFORE[place], "new": AFTER[place]} for place in BEFORE})
    scored({("only old", 7): {"old": 2}})
    corrected(TRUTH | {("only old", 7): 9})

    report = compare_judges(store, AgreementQuestion(("old", "new")))

    outcomes = values(report, "outcomes")
    assert outcomes == {
        "good one rescued": 1,  # b: 3, now 7, people 8
        "bad one caught": 1,  # c: 8, now 4, people 3
        "newly broken": 1,  # d: 2, now 7, people 3
        "wrong with both": 1,  # e: 9, still 7, people 5
        "right with both": 1,
        "McNemar's exact p": 1.0,
    }
    before, after = (values(report, "both judges", judge=judge) for judge in ("old", "new"))
    assert (before[MAE], after[MAE]) == pytest.approx(((1 + 5 + 5 + 1 + 4) / 5, (0 + 1 + 1 + 4 + 2) / 5))
    assert values(report, "moved")[MAE] == pytest.approx(after[MAE] - before[MAE])
    assert figures(report, "moved")[MAE].interval.low < figures(report, "moved")[MAE].interval.high
    assert [len(store.sql(figure.sql)) for figure in report.figures] == [figure.n for figure in report.figures]
    assert values(compare_judges(store, AgreementQuestion(("old", "new")), good_from=9), "outcomes") == {
        "good one rescued": 1,  # a: 8, now 9
        "bad one caught": 1,  # e: 9, now 7
        "newly broken": 0,
        "wrong with both": 0,
        "right with both": 3,
        "McNemar's exact p": 0.5,  # two coins that fall the same way
    }


@pytest.mark.parametrize(("mended", "broken"), [(0, 0), (5, 0), (1, 9), (12, 7), (400, 340), (3000, 2800)])
def test_mcnemars_p_is_that_of_the_binomial(mended, broken):
    n = mended + broken
    expected = binomtest(mended, n, 0.5).pvalue if n else 1.0

    assert mcnemar(mended, broken) == mcnemar(broken, mended) == pytest.approx(expected, rel=1e-9)


def test_what_nobody_can_tell_is_an_error_with_the_way_out(store, scored):
    scored({("p", 7): {"j": 4}}, scale_min=None, scale_max=None)
    scored({("p", 7): {"k": 5, "l": 4}}, scale_min=None, scale_max=None)

    for question, error, words in (
        (AgreementQuestion(), UsageError, "people and any judge have looked at no answer in common; get people's"),
        (AgreementQuestion(("x",)), UnknownNameError, "nobody called 'x' has judged; there are: j, k"),
        (AgreementQuestion(by=("moon",)), UnknownNameError, "--by moon"),
    ):
        with pytest.raises(error, match=words):
            measure_agreement(store, question)
    with pytest.raises(UsageError, match="pass --good-from"):
        compare_judges(store, AgreementQuestion(("j", "k"), "l"))


def test_the_report_as_data_is_json_with_the_statement_of_each_figure(store, scored, corrected):
    scored(judged_by("j", JUDGED))
    corrected(PEOPLE)

    told = json.loads(json.dumps(measure_agreement(store).to_dict()))

    assert (told["against"], told["seed"], told["confidence"]) == ("people", 43, 0.95)
    assert Counter(figure["section"] for figure in told["figures"]) == {"scores": 6}
    assert all(figure["sql"].startswith("/* ") for figure in told["figures"])
