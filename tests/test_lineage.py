"""The story of a pair for every way to draw, against scores that can be ranked by hand."""

from dataclasses import replace

import pytest

from tsodata.builds import build_pairs
from tsodata.errors import UnknownNameError, UsageError
from tsodata.lineage import explain_answer, explain_pair
from tsodata.provenance import Run
from tsodata.recipes import Pool, Recipe, Strata

SCORES = [3, 9, 5, 7]


@pytest.fixture
def scored(store, run_import):
    cell = {"family": "m", "version": "v2", "size": "7", "judge": "j", "rubric": "r", "dataset": "d"}
    run_import(
        "records",
        [
            *({"prompt": "q", "response": f"a{i}", "sample": i, "score": s, **cell} for i, s in enumerate(SCORES)),
            *({"prompt": "other", "response": f"b{i}", "sample": i, "score": s, **cell} for i, s in enumerate([1, 2])),
        ],
    )
    return store


def build(store, draw, *, name="b", n_pairs=1, strata=None, **settings):
    pool = Pool(draw=draw, **settings)
    recipe = Recipe(pools={"self": pool}, minibatches=1, pairs_per_prompt=n_pairs, strata=strata)
    with store.run(Run("test")) as run:
        build_pairs(store, name, base="m/v2/7", recipe=recipe, run=run)


def story(store, number=1):
    pair = "select pair_id from v_pairs join v_prompts using (prompt_id) where text = 'q' and round = $number"
    return explain_pair(store, store.sql(pair, {"number": number}).item())["builds"][0]


def test_best_against_worst(scored):
    build(scored, "max_min", n_pairs=2)

    first, second = story(scored), story(scored, 2)

    assert first["why"] == (
        "the best-scored answer (9) against the worst-scored (3), by j with rubric r, of the candidates m/v2/7"
    )
    assert "the best-scored answer (7) against the worst-scored (5), number 2 from each end" in second["why"]
    assert [(row["score"], row["rank"]) for row in first["draw"]["candidates"]] == [(9, 1), (7, 2), (5, 3), (3, 4)]


def test_the_drawn_answers_are_among_the_candidates_also_where_texts_are_equal(store, run_import):
    cell = {"family": "m", "version": "v2", "size": "7", "judge": "j", "rubric": "r"}
    rows = [{"prompt": "q", "response": "same", "sample": i, "score": s, **cell} for i, s in enumerate([5, 5, 4])]
    run_import("records", [*rows, {"prompt": "q", "response": "best", "score": 9, **cell}])
    for draw in ("max_min", "max_random"):
        build(store, draw, name=draw)
        ids = store.sql("select pair_id, rejected_response_id from v_pairs where build = $name", {"name": draw}).row(0)

        told = explain_pair(store, ids[0], build=draw)["builds"][0]

        assert ids[1] in {row["response_id"] for row in told["draw"]["candidates"]}


def test_best_against_any_other_names_the_random_number_that_came_first(scored):
    build(scored, "max_random")

    told = story(scored)

    below = [row["rejected_number"] for row in told["draw"]["candidates"] if row["score"] < 9]
    assert f"number 1 in a random order (u = {min(below):.4f}, seed 43) of the 3 that score below it" in told["why"]


def test_best_against_second(scored):
    build(scored, "max_second", n_pairs=2)

    assert story(scored)["why"].startswith("the best score (9) against the second best (7), by j")
    assert story(scored, 2)["why"].startswith("score number 2 from the top (7) against the next (5), by j")


def test_rejection_sampling_shows_who_was_accepted_by_which_chance(scored):
    build(scored, "rso", beta=2.0)

    told = story(scored)

    accepted = told["draw"]["accepted"]
    assert [row["step"] for row in accepted] == [1, 2]
    assert all(row["number"] < row["chance"] for row in accepted)
    assert {f"{row['score']:g}" for row in accepted} == {
        f"{told[f'{side}_score']:g}" for side in ("chosen", "rejected")
    }
    for row in accepted:
        law = f"u = {row['number']:.4f} below exp(({row['score']:g} - {row['best']:g}) / beta) = {row['chance']:.4f}"
        assert f"as number {row['step']}, in pass {row['pass']}, with {law}" in told["why"]
    assert "at temperature 2, seed 43" in told["why"]


def test_the_story_is_that_of_the_snapshot_and_not_of_what_came_later(scored, run_import):
    build(scored, "max_random")
    before = story(scored)
    cell = {"family": "m", "version": "v2", "size": "7", "rubric": "r"}
    run_import("records", [{"prompt": "q", "response": "late", "score": 10, "judge": "j", **cell}], name="late.jsonl")

    assert story(scored) == before


def test_the_stratum_is_told(scored):
    build(scored, "max_min", strata=Strata("dataset"))

    told = story(scored)

    assert told["why"].endswith("; its prompt stands in the stratum d by dataset")
    assert told["stratum"] == "d"


@pytest.mark.parametrize(
    ("draw", "settings", "why"),
    [
        ("best_of_n", {"keep": 2}, "place 1 by score (9) of 4 scored answers (the best 2 are kept), by j"),
        ("threshold", {"min_score": 8.5}, "its score 9 is not below 8.5; place 1 on its prompt, by j"),
        ("ranked", {}, "place 1 by score (9) of 4 scored answers, by j"),
    ],
)
def test_an_answer_of_a_build_without_pairs_has_a_story_too(scored, draw, settings, why):
    with scored.run(Run("test")) as run:
        recipe = Recipe(pools={"self": Pool(draw=draw, **settings)}, minibatches=1)
        build_pairs(scored, "b", base="m/v2/7", recipe=recipe, run=run)
    answer = scored.sql("select response_id from v_build_responses where score = 9").item()

    told = explain_answer(scored, answer)

    assert told["builds"][0]["why"].startswith(why)
    assert told["answer"]["text"] == "a1"


def test_what_no_build_holds_is_told(scored):
    build(scored, "max_min")

    with pytest.raises(UnknownNameError, match="no answer r1-0000000000000000 in any build of the store"):
        explain_answer(scored, "r1-0000000000000000")
    with pytest.raises(UsageError, match="is not a response id"):
        explain_answer(scored, "pair1-0000000000000000")
    with pytest.raises(UnknownNameError, match="in build 'z'"):
        explain_pair(scored, scored.sql("select pair_id from v_pairs limit 1").item(), build="z")


def test_a_weighted_pair_tells_the_race_of_each_side(scored):
    pool = Pool(chosen={"base": 1.0}, rejected={"base": 1.0})
    with scored.run(Run("test")) as run:
        recipe = replace(Recipe(pools={"matrix": pool}, minibatches=1), seed=5)
        build_pairs(scored, "b", base="m/v2/7", recipe=recipe, run=run, allow_short=True)
    pair = scored.sql("select pair_id from v_pairs order by 1 limit 1").item()

    told = explain_pair(scored, pair)["builds"][0]

    assert told["why"].startswith("a weighted draw with seed 5: chosen m/v2/7 came first of")
    assert [row["arrival"] for row in told["draw"]["chosen"]] == sorted(r["arrival"] for r in told["draw"]["chosen"])
