"""What holds for every built-in recipe, on a store large enough for frequencies and for two threads."""

import json
import random
from collections import Counter

import duckdb
import pytest

from tsodata.builds import find_build, verify_build
from tsodata.builds.building import draw_build
from tsodata.builds.planning import make_plan
from tsodata.draws import chi_square
from tsodata.importers import import_files
from tsodata.provenance import Run
from tsodata.recipes import BUILT_IN
from tsodata.store import Store

from .conftest import BASE, CELLS, N_MANY, answers, build, complete

pytestmark = pytest.mark.parametrize("name", BUILT_IN)


def drawn(store, name, **options):
    """Return the tables that a recipe draws, and its plan; nothing is stored."""
    with store.reader() as reader:
        snapshot = reader.snapshot()
        plan = make_plan(reader, BASE, complete(name).with_options(**options), snapshot, None)
        tables = draw_build(reader, plan, snapshot, key=1, allow_short=False).tables
    return plan, tables


@pytest.fixture(scope="module")
def once(many):
    """Return the recipe's draw, made once for the tests below."""
    made = {}

    def get(name):
        if name not in made:
            made[name] = drawn(many, name, held_out=0.1)
        return made[name]

    return get


def made_rows(tables):
    return (tables["pairs"] if "pairs" in tables else tables["build_responses"]).to_pylist()


def test_one_thread_and_two_draw_the_same(many, once, monkeypatch, name):
    opened = duckdb.connect

    def with_one_thread(path, *, config, **options):
        return opened(path, config={**config, "threads": "1"}, **options)

    monkeypatch.setattr("tsodata.store.duckdb.connect", with_one_thread)
    _, alone = drawn(many, name, held_out=0.1)
    _, tables = once(name)

    assert all(alone[table].equals(rows) for table, rows in tables.items())


def test_every_prompt_ends_paired_or_skipped_with_a_reason(once, name):
    _, tables = once(name)
    outcomes = tables["build_prompts"].to_pylist()

    assert len(outcomes) == len({row["prompt_key"] for row in outcomes}) == N_MANY
    paired = {row["prompt_key"] for row in outcomes if row["reason"] is None}
    assert paired == {row["prompt_key"] for row in made_rows(tables)}


def test_splits_cover_the_prompts_evenly_and_never_overlap(once, name):
    _, tables = once(name)
    places = {(row["prompt_key"], row["split"], row["minibatch"]) for row in made_rows(tables)}
    sizes = Counter((split, minibatch) for _, split, minibatch in places)

    assert len(places) == len({prompt for prompt, _, _ in places})
    assert sizes["held_out", None] == int(len(places) * 0.1 + 0.5)
    trained = [sizes["train", minibatch] for minibatch in (1, 2, 3)]
    assert sum(trained) + sizes["held_out", None] == len(places)
    assert max(trained) - min(trained) <= 1


def test_what_is_drawn_by_weight_comes_near_its_weights(once, name):
    plan, tables = once(name)
    shares = tables["build_shares"].to_pylist()
    for pool, side in plan.weights:
        rows = [row for row in shares if (row["pool"], row["side"]) == (pool, side)]
        assert sum(row["expected"] for row in rows) == pytest.approx(sum(row["realised"] for row in rows), abs=0.01)
        assert chi_square([row["expected"] for row in rows], [row["realised"] for row in rows]).p > 0.001
    n_sides = 2 if "pairs" in tables else 1
    assert sum(row["realised"] for row in shares) == n_sides * len(made_rows(tables))


def test_no_pair_stands_its_two_answers_equal_or_comes_twice(many, name):
    rounds = {"pairs_per_prompt": 3} if complete(name).makes == "pairs" else {}
    plan, tables = drawn(many, name, **rounds)
    rows = made_rows(tables)
    if not rounds:
        assert len({row["response_key"] for row in rows}) == len(rows)
        return
    sets = {frozenset((row["chosen_key"], row["rejected_key"])) for row in rows}
    by_score = [row for row in rows if plan.recipe.pools[row["pool"]].by_score]

    assert len(sets) == len(rows) > len({row["prompt_key"] for row in rows})
    assert all(row["chosen_score"] > row["rejected_score"] for row in by_score)


def material():
    for number in range(40):
        for version, size in CELLS:
            scores = [1 + (number * 7 + i * 3 + int(size)) % 9 for i in range(3 if (version, size) == ("v2", 7) else 1)]
            yield from answers(f"q{number}", scores, version=version, size=str(size))
        yield {"prompt": f"q{number}", "human": "true", "response": f"people on {number}"}


def compared():
    for number in range(40):
        texts = [f"{number} of {model}" for model in "xyz"]
        for chosen, rejected in ((0, 1), (2, 0)):
            yield {"prompt": f"q{number}", "chosen": texts[chosen], "rejected": texts[rejected]}


@pytest.fixture(scope="module")
def two_orders(tmp_path_factory):
    rows, pairs, stores = list(material()), list(compared()), []
    for order in range(2):
        folder = tmp_path_factory.mktemp("order")
        stores.append(Store.open(folder / "s.duckdb", create=True))
        for name, of in (("records", rows), ("trl-pairs", pairs)):
            random.Random(order).shuffle(of)
            (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in of))
            with stores[-1].run(Run("test")) as run:
                import_files(stores[-1], name, [folder / f"{name}.jsonl"], run=run)
    return stores


def test_the_order_of_import_changes_nothing_and_a_rebuild_is_equal(two_orders, name):
    first, second = two_orders
    recipe = complete(name).with_options(minibatches=2)
    for store in two_orders:
        build(store, name, recipe, allow_short=name == "threshold")
    rows = (
        "select build, prompt_id, chosen_response_id, rejected_response_id, pool, split, minibatch from v_pairs "
        "where build = $name union all select build, prompt_id, response_id, null, source, split, minibatch "
        "from v_build_responses where build = $name order by all"
    )

    assert first.sql(rows, {"name": name}).rows() == second.sql(rows, {"name": name}).rows() != []
    assert find_build(first, name).build_id == find_build(second, name).build_id
    assert verify_build(second, name).is_equal
