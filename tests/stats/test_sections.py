"""Each figure, worked by hand on the tiny store."""

import json
from itertools import permutations
from math import log, sqrt

import pytest
from scipy.stats import kurtosis, skew

from tsodata.importers import import_files
from tsodata.provenance import Run
from tsodata.records import Judgement, Preference, Rubric
from tsodata.stats.intervals import EXACT

from .conftest import LABELS, PROMPTS, Figures, append, build, row

Q1 = [2, 4, 6, 8, 9]  # mean 5.8, squares about it 32.8
SD_1 = sqrt(32.8 / 4)
SD_3 = sqrt(((5 - 16 / 3) ** 2 + (7 - 16 / 3) ** 2 + (4 - 16 / 3) ** 2) / 2)  # of 5, 7 and 4


def test_cells_are_counted(figures):
    assert [figures.cell("prompts", cell).value for cell in LABELS] == [4, 3, 3, 3]
    assert [figures.cell("answers", cell).value for cell in LABELS] == [4, 3, 5, 3]
    assert figures("cells", "answers", source="human").value == 1


def test_an_empty_answer_is_one_of_four(figures):
    empty = figures.cell("empty", "small")

    assert (empty.value, empty.n, empty.interval.method) == (0.25, 4, EXACT)
    assert empty.verdict == "unclear"


def test_a_cut_answer_counts_among_those_that_say_how_they_ended(figures):
    assert (figures.cell("cut", "old").value, figures.cell("cut", "old").n) == (pytest.approx(1 / 3), 3)
    assert [f.value for f in figures.report.figures if f.name == "cut"] == [pytest.approx(1 / 3)]
    ended = {f.subject["finish_reason"]: f.value for f in figures.report.figures if f.name == "finish reason"
             and f.subject["source"] == LABELS["old"]}  # fmt: skip
    assert ended == {"length": 1, "stop": 2}


def test_samples_word_for_word_alike_are_counted_where_there_are_several(figures):
    repeated = figures.cell("repeated", "base")

    assert (repeated.value, repeated.n) == (0.5, 4)  # both of q1, none of q2
    assert not [f for f in figures.report.figures if f.name == "repeated" and f.subject["source"] != LABELS["base"]]


def test_lengths_of_answers_are_in_characters(figures):
    # big: 'Yes, indeed it is!' 18, 'never' 5, 'wet' 3
    assert figures.cell("mean length", "big").value == pytest.approx(26 / 3)
    assert figures.cell("median length", "big").value == 5


def test_people_are_not_judged_and_cells_are(figures):
    assert figures("cells", "judged", source="human").value == 0
    assert figures.cell("judged", "small").value == 1


def test_a_score_that_was_not_read_is_counted_and_not_averaged(figures):
    unparsed, mean = figures.cell("unparsed", "small"), figures.cell("mean score", "small")

    assert (unparsed.value, unparsed.n) == (0.25, 4)
    assert (mean.value, mean.n) == (pytest.approx(10 / 3), 3)  # 2, 3, 5
    assert figures.cell("mean score", "big").n == 4  # 9, 3, and 3 and 5 of one answer


def test_the_shape_of_a_prompt_is_that_of_scipy(tiny_once, figures):
    frame = tiny_once.sql(figures("shape", "prompts").sql).sort("n_scores", "mean", descending=True)
    (_, *shape_1), (_, *equal), (_, *few), _ = frame.select("mean", "sd", "g1", "g2").rows()

    g1, g2 = round(skew(Q1, bias=False), 9), round(kurtosis(Q1, bias=False), 9)
    assert shape_1 == pytest.approx([SD_1, g1, g2], abs=1e-12)
    assert equal == [0.0, None, None]
    assert few == [pytest.approx(SD_3), pytest.approx(skew([5, 7, 4], bias=False)), None]


def test_the_order_of_the_scores_decides_no_sign(store, tmp_path):
    even = [6.6, 7.1, 7.6, 8.1]  # G1 is 0; computed, it is a little below or above as the rows stand
    rows = [
        row(str(place), cell, f"answer of {cell}", score)
        for place, scores in enumerate(permutations(even))
        for cell, score in zip(("big", "base", "old", "small"), scores, strict=True)
    ]
    path = tmp_path / "even.jsonl"
    path.write_text("".join(f"{json.dumps(r)}\n" for r in rows))
    with store.run(Run("test")) as run:
        import_files(store, "records", [path], run=run)

    assert Figures(store, sections=("shape",))("shape", "G1 below 0").value == 0


def test_prompts_without_a_shape_are_counted_apart(figures):
    assert figures("shape", "prompts").value == 4
    assert figures("shape", "scores per prompt").value == 3.5
    assert (figures("shape", "fewer than 4 scores").value, figures("shape", "fewer than 4 scores").n) == (0.5, 4)
    assert (figures("shape", "all scores equal").value, figures("shape", "all scores equal").n) == (0.5, 2)
    assert figures("shape", "G2 below 0").n == 1
    assert figures("shape", "G1 < 0, G2 < 0").value == 1.0  # q1 alone has both
    assert figures("shape", "mean off the origin").value == 5.8  # G2 is -1.7
    assert figures("shape", "mean near the origin").value is None


def test_margins_stand_against_the_noise_and_the_prompts_spread(figures):
    # the noise: 4 and 4 of one answer, 3 and 5 of another: sqrt((0 + 2) / 2) = 1
    assert figures("margins", "pairs").value == 2
    assert figures("margins", "margin").value == 5  # 9 - 2 and 7 - 4
    assert figures("margins", "median margin in noise sds").value == 5
    assert figures("margins", "under 1 noise sd").value == 0
    assert figures("margins", "negative margin").value == 0
    position = ((2 - 5.8) / SD_1 + (4 - 16 / 3) / SD_3) / 2
    assert figures("margins", "position of the rejected").value == pytest.approx(position)


def test_quality_is_on_the_scale_of_the_rubric(figures):
    assert figures("quality", "mean of the chosen").value == 8
    assert figures("quality", "chosen on the scale").value == pytest.approx((7 / 8 + 5 / 8) / 2)
    assert figures("quality", "rejected on the scale").value == pytest.approx((0 + 2 / 8) / 2)


def test_lengths_of_pairs(figures):
    # 'Yes, indeed it is!' 18 over 'no' 2, 'yes, all of it is wet' 21 over 'wet' 3
    assert figures("length", "chosen minus rejected").value == 17
    assert figures("length", "log ratio").value == pytest.approx((log(9) + log(7)) / 2)
    assert (figures("length", "longer is chosen").value, figures("length", "longer is chosen").n) == (1.0, 2)


def test_similarity_is_the_share_of_words_and_word_pairs(figures):
    # q1: nothing in common; q3: 'wet' of yes, all, of, it, is, wet and their five pairs: 1 of 11
    assert figures("similarity", "similarity").value == pytest.approx((0 + 1 / 11) / 2)
    assert figures("similarity", "near-identical").value == 0


def test_case_and_punctuation_do_not_make_answers_different(store, run_import):
    run_import("records", [row("q1", "base", "Yes, it is.", 9), row("q1", "small", "yes it is", 2)])
    build(store)

    assert Figures(store)("similarity", "near-identical").value == 1.0


def test_reliability_is_the_anova_of_repeated_scores(figures):
    # two answers, two scores each, means 4 and 4: within ms (0 + 2) / 2 = 1, between ms 0: ICC (0 - 1) / (0 + 1) = -1
    assert figures("judges", "noise: sd within answers").value == pytest.approx(1)
    assert figures("judges", "sd between answers").value == 0
    assert figures("judges", "ICC of one score").value == pytest.approx(-1)


def test_icc_counts_unequal_numbers_of_scores(store, run_import):
    scores = [(2, 4), (6, 8, 7), (9, 9)]
    run_import("records", [row(f"q{i}", "big", f"a{i}", *values) for i, values in enumerate(scores)])
    n, total = 7, 45
    within = (2 + 2 + 0) / (n - 3)
    between = (2 * 3**2 + 3 * 7**2 + 2 * 9**2 - total**2 / n) / 2
    each = (n - (4 + 9 + 4) / n) / 2

    icc = Figures(store)("judges", "ICC of one score")

    assert icc.value == pytest.approx((between - within) / (between + (each - 1) * within))
    assert (icc.n, icc.interval.low <= icc.value <= icc.interval.high) == (3, True)


def test_two_judges_of_one_answer_are_compared_on_a_scale_from_0_to_1(store, run_import):
    run_import("records", [row(f"q{i}", "big", f"a{i}", value) for i, value in enumerate((2, 6, 10))])
    other = [row(f"q{i}", "big", f"a{i}", value) for i, value in enumerate((1, 2, 4))]
    for changed in other:
        changed["judgements"][0] |= {"judge": "k", "scale_min": 1, "scale_max": 5}
    run_import("records", other, name="other.jsonl")
    figures = Figures(store, sections=("judges",))

    # j: 0, 0.5, 1; k: 0, 0.25, 0.75
    assert figures("judges", "difference of scores").value == pytest.approx(0.5 / 3)
    assert figures("judges", "absolute difference").value == pytest.approx(0.5 / 3)
    # about their means: -0.5, 0, 0.5 and -1/3, -1/12, 5/12
    assert figures("judges", "correlation of scores").value == pytest.approx(0.375 / sqrt(0.5 * 42 / 144))


def answers_of(store, prompt):
    return store.sql(
        "select responses.response_key, responses.prompt_key from responses join sources using (source_key) "
        "join prompts using (prompt_key) where prompts.text = $prompt and label in ('m/v1/1', 'm/v2/13') "
        "order by label",
        {"prompt": PROMPTS[prompt]},
    ).rows()


def preferred(store, prompt, value, *, judge="p", swapped=False):
    rubric = Rubric("pairs", kind="pairwise")
    (small, key), (big, _) = answers_of(store, prompt)
    first, second = (big, small) if swapped else (small, big)
    said = Judgement(key, first, second, judge, "model", rubric.rubric_key, raw=f"{value} {swapped}")
    return [rubric, said, Preference(said.judgement_key, key, first, second, judge, "model", rubric.rubric_key, value,
                                     is_hard=True)]  # fmt: skip


def test_a_judge_that_takes_the_first_is_turned_by_the_order(tiny):
    append(
        tiny,
        *preferred(tiny, "q1", 1.0),
        *preferred(tiny, "q1", 1.0, swapped=True),  # the first both times
        *preferred(tiny, "q2", 0.0),
        *preferred(tiny, "q2", 1.0, swapped=True),  # big both times
        *preferred(tiny, "q3", 1.0),  # one order only: left out
    )
    figures = Figures(tiny, sections=("judges",))

    assert (figures("judges", "turned by the order").value, figures("judges", "turned by the order").n) == (0.5, 2)
    assert figures("judges", "shown first preferred").value == 0.75  # (1 + 0.5) / 2


def test_two_judges_agree_where_both_take_the_same_side(tiny):
    append(
        tiny,
        *preferred(tiny, "q1", 1.0),
        *preferred(tiny, "q1", 1.0, judge="o"),
        *preferred(tiny, "q2", 0.0),
        *preferred(tiny, "q2", 1.0, judge="o"),
        *preferred(tiny, "q3", 0.5),
        *preferred(tiny, "q3", 1.0, judge="o"),  # a tie takes no side
    )
    same = Figures(tiny, sections=("judges",))("judges", "same preference")

    assert (same.value, same.n) == (0.5, 2)


def test_wins_count_ties_half_and_mirror_each_other(figures):
    def win(source, against):
        return figures("wins", "wins by score", source=LABELS[source], against=LABELS[against])

    assert (win("small", "big").value, win("small", "big").n) == (0.5, 3)  # 0 of q1, a tie, 1 of q3
    assert (win("old", "big").value, win("old", "big").n) == (0.25, 2)
    assert (win("big", "old").value, win("big", "old").n) == (0.75, 2)
    assert (win("base", "small").value, win("base", "small").n) == (pytest.approx(2.5 / 3), 3)


def test_wins_by_preference_take_the_mean_of_a_prompts_verdicts(tiny):
    append(tiny, *preferred(tiny, "q1", 1.0), *preferred(tiny, "q1", 1.0, swapped=True), *preferred(tiny, "q2", 1.0))
    figures = Figures(tiny, sections=("wins",))

    won = figures("wins", "wins by preference", source=LABELS["small"], against=LABELS["big"])
    assert (won.value, won.n) == (0.75, 2)  # a half of q1, one of q2


def test_only_a_rejected_source_over_a_chosen_one_breaks_the_roles(figures):
    marked = {(f.subject["source"], f.subject["against"]) for f in figures.report.section("wins") if f.threshold}

    assert marked == {(LABELS["small"], LABELS["big"]), (LABELS["old"], LABELS["big"])}


def test_a_weak_cell_that_beats_a_strong_one_violates_its_role(store, run_import):
    rows = [row(f"question {i}", cell, f"{cell} {i}", value) for i in range(30)
            for cell, value in (("small", 9), ("base", 5), ("big", 4 if i % 10 else 9.5))]  # fmt: skip
    run_import("records", rows)
    won = Figures(store, base="m/v2/7")("wins", "wins by score", source=LABELS["small"], against=LABELS["big"])

    assert (won.value, won.verdict) == (0.9, "violates")
    assert won.interval.low > 0.5


def test_equal_answers_are_found_across_sources_and_prompts(figures):
    # 'never' is old's and big's on q2; small's 'no' stands on q1 and q2
    shared = {name: figures.cell("also another source's", name, "duplicates").value for name in LABELS}
    assert shared == {"small": 0, "old": pytest.approx(1 / 3), "base": 0, "big": pytest.approx(1 / 3)}
    across = figures.cell("also another prompt's", "small", "duplicates")
    assert (across.value, across.n, across.verdict) == (pytest.approx(2 / 3), 3, "look")  # the empty one is left out


def test_prompts_that_differ_in_case_and_blanks_are_duplicates(figures):
    assert (figures("duplicates", "duplicate prompts").value, figures("duplicates", "duplicate prompts").n) == (0.5, 4)
