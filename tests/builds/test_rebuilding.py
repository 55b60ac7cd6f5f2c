"""A build drawn again: the same, whatever has been imported since, and not the same where the store was changed."""

from dataclasses import replace

import duckdb
import pytest

from tsodata.builds import rebuild, verify_build
from tsodata.errors import UnknownNameError, UsageError
from tsodata.provenance import Run
from tsodata.recipes import BUILT_IN, Filters, Strata
from tsodata.records import VersionOrder

from .conftest import answers, build, complete

SIDES = ("chosen", "rejected")
CELLS = [("v1", "7"), ("v2", "7"), ("v1", "1"), ("v2", "13")]


def rows(first, last, *, judge="j", cells=CELLS):
    for number in range(first, last):
        for version, size in cells:
            scores = [
                2 + (number * 7 + i * 5 + int(size)) % 9 for i in range(4 if (version, size) == ("v2", "7") else 1)
            ]
            yield from (
                {**row, "judge": judge, "dataset": f"set {number % 2}"}
                for row in answers(f"q{number}", scores, version=version, size=size)
            )
        yield {"prompt": f"q{number}", "human": "true", "response": f"people on {number}"}


def verdicts(first, last, sides=("x", "y")):
    for number in range(first, last):
        yield {"prompt": f"q{number}", **{side: f"{number} of {who}" for side, who in zip(SIDES, sides, strict=True)}}


@pytest.fixture
def filled(store, run_import):
    run_import("records", list(rows(0, 30)))
    run_import("trl-pairs", list(verdicts(0, 30)), name="pairs.jsonl", dataset="set 2")
    return store


def import_more(store, run_import):
    """Import all that could change a draw if it saw it."""
    run_import("records", list(rows(30, 50)), name="prompts.jsonl")
    run_import("records", list(rows(0, 30, judge="k")), name="judge.jsonl")
    run_import("records", list(rows(0, 30, cells=[("v3", "13"), ("v0", "7"), ("v2", "1")])), name="cells.jsonl")
    run_import(
        "records", [{**row, "sample": 9, "response": "late", "score": 10} for row in rows(0, 30)], name="late.jsonl"
    )
    turned = list(verdicts(0, 40, sides=("y", "x")))
    run_import("trl-pairs", turned, name="turned.jsonl", dataset="set 2", judge="k")
    with store.run(Run("test")) as run, store.transaction(run) as transaction:
        transaction.append({VersionOrder: [VersionOrder("m", ("v3", "v2", "v1", "v0"), "somebody")]})


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_was_imported_since_changes_nothing(filled, run_import, name):
    recipe = complete(name).with_options(strata=Strata("dataset"), minibatches=2)
    build(filled, name, recipe, allow_short=True)
    import_more(filled, run_import)

    found = verify_build(filled, name)

    assert found.is_equal
    assert found.tables[0].n_stored > 0
    assert {check.table for check in found.tables} >= {"build_prompts", "build_shares", "build_strata"}


def test_who_had_to_have_answered_is_taken_from_the_build(filled, run_import):
    recipe = replace(BUILT_IN["weighted"], filters=Filters(answered_by=("older", "newest-larger")))
    done = build(filled, recipe=recipe)
    import_more(filled, run_import)  # v3/13 is the newest larger now, and v0/7 is older too

    assert done.n_pairs > 0
    assert verify_build(filled, "b").is_equal


def broken(store, statement):
    with duckdb.connect(str(store.path)) as connection:
        connection.execute(statement)


@pytest.mark.parametrize(
    ("statement", "table", "only_stored", "only_redrawn"),
    [
        ("delete from pairs where prompt_key = (select min(prompt_key) from pairs)", "pairs", 0, 1),
        (
            "update pairs set minibatch = 3 - minibatch where prompt_key = (select min(prompt_key) from pairs)",
            "pairs",
            1,
            1,
        ),
        ("update build_prompts set outcome = 'skipped', reason = 'x'", "build_prompts", 30, 30),
        ("update build_shares set realised = realised + 1 where side = 'chosen'", "build_shares", 3, 3),
    ],
)
def test_a_build_that_was_changed_in_the_store_is_not_equal(filled, statement, table, only_stored, only_redrawn):
    build(filled, recipe=BUILT_IN["tso"].with_options(minibatches=2))
    broken(filled, statement)

    found = verify_build(filled, "b")

    (check,) = (check for check in found.tables if not check.is_equal)
    assert not found.is_equal
    assert (check.table, check.only_stored, check.only_redrawn) == (table, only_stored, only_redrawn)
    assert check.table == "build_shares" or check.example_prompts[0].startswith("p1-")


def test_material_that_was_changed_is_told(filled):
    build(filled, recipe=BUILT_IN["max_min"])
    broken(filled, "update commit_tables set n_rows = n_rows - 1 where table_name = 'scores'")

    found = verify_build(filled, "b")

    assert (found.snapshot_holds, found.is_equal) == (False, False)


def test_another_seed_in_the_store_is_told(filled):
    build(filled, recipe=BUILT_IN["weighted"])
    broken(filled, "update builds set seed = 44")

    found = verify_build(filled, "b")

    assert (found.snapshot_holds, found.id_holds, found.is_equal) == (True, False, False)


def test_material_that_is_gone_is_told_with_why_nothing_could_be_drawn(filled):
    build(filled, recipe=BUILT_IN["max_min"])
    broken(filled, "delete from scores")

    found = verify_build(filled, "b")

    assert "nothing at all can be drawn" in found.stopped
    assert not found.is_equal


def test_the_same_recipe_on_todays_material_is_another_build(filled, run_import):
    first = build(filled, recipe=BUILT_IN["tso"].with_options(seed=7))
    run_import("records", list(rows(30, 50)), name="more.jsonl")

    with filled.run(Run("test")) as run:
        second = rebuild(filled, "b", "c", run=run)

    assert (first.n_pairs, second.n_pairs, second.seed) == (30, 50, 7)
    assert first.build_id != second.build_id
    ids = filled.sql("select count(distinct recipe_id) from v_builds").item()
    assert ids == 1


def test_on_the_same_material_it_is_the_same_build_under_another_name(filled):
    first = build(filled)
    with filled.run(Run("test")) as run:
        assert rebuild(filled, "b", "c", run=run).build_id == first.build_id
        with pytest.raises(UnknownNameError):
            rebuild(filled, "z", "d", run=run)


def test_a_name_that_is_taken_is_not_drawn_over(filled):
    build(filled)
    build(filled, "c", BUILT_IN["max_min"])
    with filled.run(Run("test")) as run, pytest.raises(UsageError, match="is there already"):
        rebuild(filled, "b", "c", run=run)
