"""Builds on a small store: what is drawn, what is skipped, and that nothing else decides it."""

import json
import random

import pytest

from tsodata.builds import build_pairs, find_build
from tsodata.errors import DataError, EmptyPoolError, RecipeError, UnknownNameError, UsageError
from tsodata.lineage import explain_pair
from tsodata.provenance import Run
from tsodata.recipes import BUILT_IN, Filters, Pool, Recipe
from tsodata.store import Store

BASE = "m/v2/7"
CELLS = [("v1", 7), ("v2", 7), ("v1", 1), ("v2", 13)]
PAIRS = "select pair_id, minibatch, split, pool from v_pairs where build = $name order by pair_id"


def rows(n_prompts=90):
    for number in range(n_prompts):
        for version, size in CELLS:
            for sample in range(3 if (version, size) == ("v2", 7) else 1):
                yield {
                    "prompt": f"question {number}",
                    "family": "m",
                    "version": version,
                    "size": str(size),
                    "sample": sample,
                    "response": f"answer {number} of {version} {size} {sample}",
                    "judge": "j",
                    "rubric": "r",
                    "score": 2 + (number * 7 + CELLS.index((version, size)) * 2 + sample * 5) % 9,
                    "raw": f"Score: {number}",
                }
        yield {"prompt": f"question {number}", "human": "true", "response": f"people's answer {number}"}


@pytest.fixture
def filled(store, run_import):
    run_import("records", list(rows()))
    return store


def build(store, name="b", recipe=BUILT_IN["weighted"], **options):
    with store.run(Run("test")) as run:
        return build_pairs(store, name, base=BASE, recipe=recipe, run=run, **options)


def pairs(store, name="b"):
    return store.sql(PAIRS, {"name": name}).rows()


def test_half_of_the_papers_pairs_are_the_bases_own_best_against_worst(filled):
    done = build(filled, recipe=BUILT_IN["tso"])

    counts = filled.sql("select pool, count(*) from v_pairs group by pool order by pool").rows()
    assert counts == [("matrix", 45), ("self", 45)]
    assert done.outcomes == {"paired": 90}


def test_minibatches_are_even_and_no_prompt_stands_in_two(filled):
    done = build(filled, recipe=BUILT_IN["tso"].with_options(held_out=0.1))

    assert (done.minibatches, done.n_held_out) == ((27, 27, 27), 9)
    split = filled.sql("select prompt_id from v_pairs group by prompt_id having count(distinct (split, minibatch)) > 1")
    assert split.is_empty()


def test_the_same_material_in_another_order_gives_the_same_pairs(filled, tmp_path):
    build(filled, recipe=BUILT_IN["tso"])
    shuffled = list(rows())
    random.Random(1).shuffle(shuffled)
    path = tmp_path / "shuffled.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in shuffled))
    other = Store.open(tmp_path / "other.duckdb", create=True)
    from tsodata.importers import import_files

    with other.run(Run("test")) as run:
        import_files(other, "records", [path], run=run)
    again = build(other, recipe=BUILT_IN["tso"])

    assert again.build_id == find_build(filled, "b").build_id
    assert pairs(other) == pairs(filled)


def test_another_seed_gives_other_pairs(filled):
    build(filled)
    build(filled, "c", BUILT_IN["weighted"].with_options(seed=44))

    assert pairs(filled, "b") != pairs(filled, "c")


def test_the_same_build_twice_adds_nothing(filled):
    build(filled)
    n_pairs = filled.sql("select count(*) from pairs").item()

    assert build(filled).already_there
    assert filled.sql("select count(*) from pairs").item() == n_pairs


def test_a_name_that_is_taken_by_another_build_is_refused(filled):
    build(filled)

    with pytest.raises(UsageError, match="is there already, with other content"):
        build(filled, recipe=BUILT_IN["max_min"])


def test_chosen_scores_are_above_rejected_ones_where_the_scores_decide(filled):
    build(filled, recipe=BUILT_IN["max_min"])

    bad = filled.sql("select count(*) from v_pairs where not coalesce(chosen_score > rejected_score, false)").item()
    assert bad == 0


def test_a_margin_skips_the_pairs_below_it_and_counts_them(filled):
    recipe = Recipe(pools={"matrix": Pool(draw="max_min", candidates=("cells",))}, filters=Filters(min_margin=8.0))

    done = build(filled, recipe=recipe)

    assert done.outcomes["min_margin"] + done.outcomes["paired"] == 90
    assert filled.sql("select min(chosen_score - rejected_score) from v_pairs").item() >= 8.0


def test_a_pool_without_material_stops_the_build_unless_allowed(store, run_import):
    run_import("records", [row for row in rows() if row.get("sample", 0) == 0])

    with pytest.raises(EmptyPoolError, match=r"pool self gives 0 for its share of 0.5 \(90 prompts one_answer\)"):
        build(store, recipe=BUILT_IN["tso"])
    assert build(store, recipe=BUILT_IN["tso"], allow_short=True).n_pairs == 90


def test_more_pairs_than_there_are_stop_the_build(filled):
    with pytest.raises(EmptyPoolError, match="gives 90 of 200 pairs asked for"):
        build(filled, recipe=BUILT_IN["weighted"].with_options(n=200))


def test_more_minibatches_than_prompts_stop_the_build(filled):
    with pytest.raises(DataError, match="cannot fill 3 minibatches"):
        build(filled, recipe=BUILT_IN["weighted"].with_options(n=2))


def test_equal_empty_and_unscored_answers_are_never_paired(store, run_import):
    cell = {"family": "m", "version": "v2", "size": "7", "judge": "j", "rubric": "r"}
    run_import(
        "records",
        [
            *({"prompt": "tie", "response": f"t{i}", "score": 5, **cell} for i in range(2)),
            *({"prompt": "same", "response": "same", "sample": i, "score": 3 + i, **cell} for i in range(2)),
            *({"prompt": "empty", "response": " " * i, "score": 3 + i, **cell} for i in range(2)),
            *({"prompt": "bare", "response": f"b{i}", **cell} for i in range(2)),
            *({"prompt": "good", "response": f"g{i}", "score": 3 + i, **cell} for i in range(2)),
        ],
    )
    recipe = Recipe(pools={"self": Pool(draw="max_min")}, minibatches=1)

    done = build(store, recipe=recipe)

    assert done.outcomes == {"paired": 1, "identical": 1, "no_answers": 1, "tie": 1, "unscored": 1}


def test_two_judges_have_to_be_told_apart(filled, run_import):
    second = [{**row, "judge": "k"} for row in rows(3) if "judge" in row]
    run_import("records", second, name="second.jsonl")

    with pytest.raises(RecipeError, match="j by r; k by r"):
        build(filled, recipe=BUILT_IN["max_min"])


def test_rejecting_the_bases_own_answers_warns_of_reverse_alignment(filled):
    recipe = Recipe(pools={"matrix": Pool(rejected={"base": 1.0})})

    assert "reverses alignment" in build(filled, recipe=recipe).warnings[0]


def test_shares_stay_near_their_weights(filled):
    done = build(filled, recipe=BUILT_IN["weighted"])

    test = done.test("matrix", "chosen")
    assert test is not None
    assert test.p > 0.001
    assert sum(share.realised for share in done.side("matrix", "rejected")) == 90


def test_explain_runs_the_draw_again_and_the_drawn_answers_come_first(filled):
    build(filled)
    pair_id, chosen, rejected = filled.sql(
        "select pair_id, chosen_response_id, rejected_response_id from v_pairs order by pair_id limit 1"
    ).row(0)

    story = explain_pair(filled, pair_id)

    draw = story["builds"][0]["draw"]
    assert (draw["chosen"][0]["response_id"], draw["rejected"][0]["response_id"]) == (chosen, rejected)
    assert story["rejected"]["scores"][0]["raw"].startswith("Score: ")


def test_a_pair_that_is_not_there_is_told(filled):
    with pytest.raises(UnknownNameError, match="no pair pair1-0000000000000000"):
        explain_pair(filled, "pair1-0000000000000000")


def test_a_build_that_is_not_there_is_told_with_what_is(filled):
    build(filled)

    with pytest.raises(UnknownNameError, match="the store has: b"):
        find_build(filled, "c")
