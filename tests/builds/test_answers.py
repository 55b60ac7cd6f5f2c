"""Recipes that make answers to tune on or ranked lists, by hand."""

from tsodata.builds import find_build
from tsodata.recipes import BUILT_IN

from .conftest import answers, build, of_base


def held(store, name="b"):
    """Return prompt, place, score and position of the answers of a build."""
    return store.sql(
        "select q.text, b.place, b.score, r.sample_index from v_build_responses b join v_prompts q using (prompt_id) "
        "join v_responses r using (response_id) where b.build = $name order by q.text, b.place",
        {"name": name},
    ).rows()


def test_best_of_n_keeps_the_best_answer_of_each_prompt(store, run_import):
    run_import("records", [*answers("a", [3, 9, 5]), *answers("b", [4]), *answers("c", [None])])

    done = build(store, recipe=of_base("best_of_n"))

    assert held(store) == [("a", 1, 9.0, 1), ("b", 1, 4.0, 0)]
    assert (done.n_pairs, done.n_responses, done.n_prompts) == (0, 2, 2)
    assert done.outcomes == {"selected": 2, "unscored": 1}


def test_best_of_n_keeps_as_many_as_it_is_told_if_they_score_enough(store, run_import):
    run_import("records", [*answers("a", [3, 9, 5, 7]), *answers("b", [4, 6]), *answers("c", [1, 2])])

    done = build(store, recipe=of_base("best_of_n", keep=2, min_score=5.0))

    assert held(store) == [("a", 1, 9.0, 1), ("a", 2, 7.0, 3), ("b", 1, 6.0, 1)]
    assert done.outcomes == {"selected": 2, "min_score": 1}


def test_a_tie_where_best_of_n_cuts_can_be_skipped(store, run_import):
    run_import("records", [*answers("cut", [9, 7, 7, 3]), *answers("whole", [7, 7, 3]), *answers("few", [7])])

    done = build(store, recipe=of_base("best_of_n", keep=2, ties="skip"))

    assert [row[0] for row in held(store)] == ["few", "whole", "whole"]
    assert done.outcomes == {"selected": 2, "tie": 1}


def test_a_threshold_takes_every_answer_from_it_on(store, run_import):
    run_import("records", [*answers("a", [3, 9, 5, 7]), *answers("b", [4, 6.9]), *answers("c", [7, 7])])

    done = build(store, recipe=of_base("threshold", min_score=7.0))

    assert [row[:3] for row in held(store)] == [("a", 1, 9.0), ("a", 2, 7.0), ("c", 1, 7.0), ("c", 2, 7.0)]
    assert done.outcomes == {"selected": 2, "min_score": 1}


def test_a_ranked_list_falls_strictly_and_holds_no_text_twice(store, run_import):
    rows = list(answers("a", [3, 9, 5, 9, 4]))
    rows[4]["response"] = rows[2]["response"]
    run_import("records", [*rows, *answers("tie", [5, 5]), *answers("one", [5]), *answers("bare", [5, None])])

    done = build(store, recipe=of_base("ranked"))

    assert [row[1:3] for row in held(store)] == [(1, 9.0), (2, 5.0), (3, 3.0)]
    assert done.outcomes == {"selected": 1, "tie": 1, "one_answer": 1, "unscored": 1}


def test_a_ranked_list_with_equal_scores_can_be_skipped(store, run_import):
    run_import("records", [*answers("a", [3, 9, 9]), *answers("b", [3, 9])])

    assert build(store, recipe=of_base("ranked", ties="skip")).outcomes == {"selected": 1, "tie": 1}


def test_a_limit_counts_prompts_and_leaves_lists_whole(store, run_import):
    run_import("records", [row for i in range(10) for row in answers(f"q{i}", [3, 9, 5])])

    done = build(store, recipe=of_base("ranked").with_options(n=4))

    assert (done.n_prompts, done.n_responses) == (4, 12)
    assert done.outcomes == {"selected": 4, "over_quota": 6}


def test_sources_of_answers_are_counted_on_the_chosen_side(store, run_import):
    older = answers("a", [8], version="v1")
    run_import("records", [*answers("a", [3, 9]), *older])

    done = build(store, recipe=BUILT_IN["ranked"].with_options(minibatches=1))

    assert {(share.side, share.source, share.realised) for share in done.shares} == {
        ("chosen", "m/v1/7", 1),
        ("chosen", "m/v2/7", 2),
    }
    assert done.test("matrix", "chosen") is None


def test_builds_of_answers_are_shown_by_the_views(store, run_import):
    run_import("records", [*answers("a", [3, 9]), *answers("b", [None])])
    build(store, recipe=of_base("best_of_n"))

    assert store.sql("select n_pairs, n_responses, n_prompts, n_minibatches from v_builds").rows() == [(0, 1, 1, 1)]
    assert set(store.sql("select outcome, reason from v_build_prompts").rows()) == {
        ("selected", None),
        ("skipped", "unscored"),
    }
    assert store.sql("select n_prompts, n_pairs from minibatches").rows() == [(1, 0)]


def test_the_same_answers_twice_add_nothing(store, run_import):
    run_import("records", list(answers("a", [3, 9])))
    build(store, recipe=of_base("best_of_n"))

    assert build(store, recipe=of_base("best_of_n")).already_there
    assert build(store, "again", recipe=of_base("best_of_n")).build_id == find_build(store, "b").build_id
    assert store.sql("select count(*) from build_responses").item() == 1
