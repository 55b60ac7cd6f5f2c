"""What a build that cannot be made would need, counted by hand."""

import pytest

from tsodata.errors import ShortPoolError
from tsodata.recipes import BUILT_IN, Filters, Pool, Recipe

from .conftest import answers, build, of_base


def shortfall(store, recipe):
    with pytest.raises(ShortPoolError) as caught:
        build(store, recipe=recipe)
    return caught.value.shortfall


def test_a_shortfall_says_what_can_be_had_and_what_each_prompt_lacks(store, run_import):
    rows = [
        *answers("good", [3, 9]),
        *answers("tie", [5, 5]),
        *answers("bare", [None, 5]),
        *answers("near", [5, 5.5]),
        *answers("elsewhere", [3], version="v1"),
        *answers("other set", [3, 9], dataset="x"),
    ]
    run_import("records", [{"dataset": "d", **row} for row in rows])
    recipe = of_base("max_random").with_options(n=10, filters=Filters(min_margin=1.0, datasets=("d",)))

    found = shortfall(store, recipe)

    assert (found.target, found.reachable, found.n_eligible, found.ineligible) == (10, 1, 5, {"dataset": 1})
    (pool,) = found.pools
    assert (pool.cell.available, pool.cell.wanted, pool.prompts_needed) == (1, 10, 9)
    assert pool.reasons == {"min_margin": 1, "no_answers": 1, "tie": 1, "unscored": 1}
    assert pool.unanswered == {"m/v2/7": 1}
    assert found.n_eligible == pool.cell.available + sum(pool.reasons.values())


def test_prompts_that_went_to_the_other_pool_are_counted_apart(store, run_import):
    cells = [("v2", "7", [3, 9]), ("v2", "13", [8]), ("v1", "7", [2])]
    rows = [
        row
        for i in range(6)
        for version, size, scores in cells
        for row in answers(f"q{i}", scores, version=version, size=size)
    ]
    run_import("records", [*rows, *({"prompt": f"q{i}", "human": "true", "response": f"p{i}"} for i in range(6))])

    found = shortfall(store, BUILT_IN["tso"].with_options(n=20, minibatches=1))

    assert found.reachable == 6
    told = [(p.cell.pool, p.cell.available, p.cell.wanted, p.prompts_needed, p.reasons) for p in found.pools]
    assert told == [("matrix", 3, 10, 7, {"other_pool": 3}), ("self", 3, 10, 7, {"other_pool": 3})]


def test_a_prompt_that_may_give_several_pairs_is_needed_once_for_them(store, run_import):
    run_import("records", list(answers("q", [1, 3, 5, 7])))

    found = shortfall(store, of_base("max_min", pairs_per_prompt=2).with_options(n=7))

    assert (found.reachable, found.pools[0].prompts_needed) == (2, 3)  # 5 pairs are missing, 2 a prompt


def test_what_is_reachable_can_be_reached(store, run_import):
    run_import("records", [row for i in range(5) for row in answers(f"q{i}", [3, 9])])
    found = shortfall(store, of_base("max_min").with_options(n=9))

    assert build(store, recipe=of_base("max_min").with_options(n=found.reachable)).n_pairs == 5


def test_cells_that_have_not_answered_are_named_with_how_often(store, run_import):
    run_import("records", [*answers("a", [3]), *answers("b", [3]), *answers("a", [5], version="v1")])
    two = Recipe(pools={"matrix": Pool(chosen={"m/v2/7": 1.0}, rejected={"m/v1/7": 1.0})}, n=2, minibatches=1)

    found = shortfall(store, two)

    assert (found.pools[0].reasons, found.pools[0].unanswered) == ({"no_rejected": 1}, {"m/v1/7": 1})
