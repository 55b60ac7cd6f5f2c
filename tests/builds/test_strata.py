"""Shares of groups of prompts: which group a prompt stands in, and how much of each pool it gives."""

from dataclasses import replace

import pytest

from tsodata.builds import find_build
from tsodata.errors import ShortPoolError
from tsodata.recipes import BUILT_IN, Strata

from .conftest import answers, build, of_base

MAX_MIN = of_base("max_min")


def tagged(prompt, scores, tags=None, dataset=None):
    known = {"tags": tags, "dataset": dataset}
    return answers(prompt, scores, **{name: value for name, value in known.items() if value})


def strata_of(store, name="b"):
    found = store.sql(
        "select q.text, b.stratum from v_build_prompts b join v_prompts q using (prompt_id) where build = $name",
        {"name": name},
    )
    return dict(found.rows())


def in_strata(by, shares="equal", **options):
    return replace(MAX_MIN, strata=Strata(by, shares), **options)


def test_equal_strata_give_equal_counts(store, run_import):
    rows = [tagged(f"{tag} {i}", [3, 9], [tag]) for tag, n in (("code", 3), ("maths", 8)) for i in range(n)]
    run_import("records", [row for group in rows for row in group])

    done = build(store, recipe=in_strata("tag"))

    assert [tuple(row) for row in done.strata] == [("self", "code", 0.5, 3, 3), ("self", "maths", 0.5, 8, 3)]
    assert done.outcomes == {"paired": 6, "over_quota": 5}
    assert find_build(store, "b").strata == done.strata
    shown = store.sql("select stratum, requested, available, realised from v_build_strata order by 1").rows()
    assert shown == [("code", 0.5, 3, 3), ("maths", 0.5, 8, 3)]


def test_stated_shares_are_kept_and_other_prompts_are_left_out(store, run_import):
    rows = [tagged(f"{s} {i}", [3, 9], dataset=s) for s, n in (("a", 10), ("b", 10), ("c", 4)) for i in range(n)]
    run_import("records", [row for group in rows for row in group])

    done = build(store, recipe=in_strata("dataset", {"a": 0.25, "b": 0.75}, n=12))

    assert [(row.stratum, row.realised) for row in done.strata] == [("a", 3), ("b", 9)]
    assert done.outcomes == {"paired": 12, "over_quota": 8, "stratum": 4}


def test_a_prompt_stands_in_the_first_of_its_tags_that_has_a_share(store, run_import):
    rows = [*tagged("p", [3, 9], ["b", "c", "a"]), *tagged("q", [3, 9], ["c", "d"]), *tagged("r", [3, 9])]
    run_import("records", rows)

    build(store, recipe=in_strata("tag"), allow_short=True)
    build(store, "stated", recipe=in_strata("tag", {"b": 0.5, "c": 0.5}))

    assert strata_of(store) == {"p": "a", "q": "c", "r": "(none)"}
    assert strata_of(store, "stated") == {"p": "b", "q": "c", "r": "(none)"}


def test_quadrants_are_the_signs_of_skewness_and_kurtosis(store, run_import):
    shapes = {
        "left-peaked": [1, 8, 8, 9, 9],  # one bad answer: a long tail to the left
        "right-peaked": [9, 2, 2, 1, 1],
        "left-flat": [1, 2, 8, 9, 9],
        "right-flat": [9, 8, 2, 1, 1],
        "even": [1, 2, 3, 4],  # G1 is nothing but rounding, G2 is -1.2
        "few": [1, 5, 9],
    }
    run_import("records", [row for name, scores in shapes.items() for row in answers(name, scores)])

    build(store, recipe=in_strata("quadrant"), allow_short=True)

    assert strata_of(store) == {**{name: name for name in shapes}, "even": "right-flat", "few": "(none)"}


def test_two_pools_each_keep_the_shares_of_the_strata(many):
    recipe = replace(BUILT_IN["tso"], strata=Strata("tag", {"code": 0.25, "maths": 0.75}), n=4000)
    done = build(many, "two pools in strata", recipe)

    assert [(row.pool, row.stratum, row.requested, row.realised) for row in done.strata] == [
        ("matrix", "code", 0.25, 500),
        ("matrix", "maths", 0.75, 1500),
        ("self", "code", 0.25, 500),
        ("self", "maths", 0.75, 1500),
    ]
    twice = "select count(*) from (select prompt_id from v_pairs where build = $name group by 1 having count(*) > 1)"
    assert many.sql(twice, {"name": done.name}).item() == 0


def test_a_stratum_that_cannot_give_its_share_is_told(store, run_import):
    rows = [tagged(f"m{i}", [3, 9], ["maths"]) for i in range(5)]
    run_import("records", [row for group in [*rows, tagged("c", [5, 5], ["code"])] for row in group])

    with pytest.raises(ShortPoolError, match=r"pool self, stratum code gives 0 for its share of 0.5 \(1 prompts tie\)"):
        build(store, recipe=in_strata("tag"))
