"""Two builds side by side, on pairs that can be counted by hand."""

from dataclasses import replace

import pytest

from tsodata.builds import diff_builds
from tsodata.errors import UnknownNameError
from tsodata.recipes import BUILT_IN, Filters, Pool, Recipe

from .conftest import answers, build, of_base


@pytest.fixture
def scored(store, run_import):
    run_import("records", [*answers("p", [3, 9, 6]), *answers("q", [2, 8]), *answers("r", [5, 5.5])])
    return store


def counts(found):
    return {change: n for change, n in found.counts.items() if n}


def test_a_build_differs_in_nothing_from_itself_under_another_name(scored):
    build(scored, "a", of_base("max_min"))
    build(scored, "b", of_base("max_min"))

    found = diff_builds(scored, "a", "b")

    assert (counts(found), found.prompts) == ({"kept": 3}, ())
    assert scored.query("build-diff", before="a", after="b").is_empty()


def test_pairs_that_change_are_counted_by_source_with_their_margins_and_lengths(scored):
    build(scored, "a", of_base("max_min"))  # p: 9 3, q: 8 2, r: 5.5 5
    build(scored, "b", of_base("max_second"))  # p: 9 6, the others the same

    found = diff_builds(scored, "a", "b")

    assert counts(found) == {"added": 1, "removed": 1, "kept": 2}
    assert [tuple(row) for row in found.by_source if row.change == "added"] == [("added", "m/v2/7", "m/v2/7", 1)]
    before, after = found.figures["margin"]
    assert (before.mean, before.median) == (pytest.approx(12.5 / 3), 6.0)  # 6, 6, 0.5
    assert (after.mean, after.median) == (pytest.approx(9.5 / 3), 3.0)  # 3, 6, 0.5
    assert found.figures["length_difference"][0].mean == 0
    rows = scored.query("build-diff", before="a", after="b").select("change", "rejected_score").rows()
    assert rows == [("added", 6.0), ("removed", 3.0)]


def test_a_pair_the_other_way_round_is_flipped(store, run_import):
    run_import("records", [*answers("p", [3]), *answers("p", [9], version="v1")])
    for name, chosen, rejected in (("a", "m/v2/7", "m/v1/7"), ("b", "m/v1/7", "m/v2/7")):
        pool = Pool(chosen={chosen: 1.0}, rejected={rejected: 1.0})
        build(store, name, Recipe(pools={"matrix": pool}, minibatches=1))

    found = diff_builds(store, "a", "b")

    assert counts(found) == {"flipped": 1}
    assert found.by_source[0][:3] == ("flipped", "m/v1/7", "m/v2/7")


def test_prompts_that_are_lost_and_gained_come_with_the_other_builds_reason(scored, run_import):
    build(scored, "a", of_base("max_min"))
    build(scored, "b", replace(of_base("max_min"), filters=Filters(min_margin=1.0)))
    run_import("records", list(answers("new", [1, 9])), name="new.jsonl")
    build(scored, "c", of_base("max_min"))

    assert [tuple(row) for row in diff_builds(scored, "a", "b").prompts] == [("lost", "min_margin", 1)]
    assert [tuple(row) for row in diff_builds(scored, "b", "c").prompts] == [
        ("gained", "min_margin", 1),
        ("gained", "not_there", 1),
    ]
    assert [tuple(row) for row in diff_builds(scored, "c", "a").prompts] == [("lost", "not_there", 1)]


def test_a_pair_that_moves_between_training_and_holding_out_is_told(store, run_import):
    run_import("records", [row for i in range(8) for row in answers(f"q{i}", [3, 9])])
    build(store, "a", of_base("max_min"))
    build(store, "b", of_base("max_min").with_options(held_out=0.25))
    build(store, "c", of_base("max_min").with_options(minibatches=2))

    assert diff_builds(store, "a", "b").n_other_split == 2
    moved = diff_builds(store, "a", "c")
    assert (moved.n_other_split, moved.n_other_minibatch) == (0, 4)


def test_builds_of_answers_are_compared_by_their_answers(scored):
    build(scored, "best", of_base("best_of_n"))
    build(scored, "two", of_base("best_of_n", keep=2))
    build(scored, "pairs", of_base("max_min"))

    assert counts(diff_builds(scored, "best", "two")) == {"added": 3, "kept": 3}
    found = diff_builds(scored, "best", "pairs")
    assert counts(found) == {"added": 3, "removed": 3}
    assert found.figures["margin"][0] is None


def test_the_counts_add_up_to_the_builds(many):
    done = [build(many, f"diffed {name}", BUILT_IN[name]) for name in ("max_min", "max_random")]
    found = diff_builds(many, done[0].name, done[1].name)

    assert found.counts["kept"] + found.counts["removed"] + found.counts["flipped"] == done[0].n_pairs
    assert found.counts["kept"] + found.counts["added"] + found.counts["flipped"] == done[1].n_pairs


def test_a_build_that_is_not_there_is_told(scored):
    build(scored, "a", of_base("max_min"))

    with pytest.raises(UnknownNameError, match="no build 'z'; the store has: a"):
        diff_builds(scored, "a", "z")
