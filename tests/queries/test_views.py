"""The views for people: their promised columns, their documentation, and what one row is."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PROMISED = {
    "v_prompts": "prompt_id text dataset",
    "v_responses": "response_id prompt_id source_kind family version size text",
    "v_scores": "response_id judge rubric dimension value reason",
    "v_preferences": "prompt_id response_a response_b judge preference",
    "v_pairs": "build pair_id prompt_id chosen_response_id rejected_response_id chosen_source rejected_source "
    "pool minibatch",
}
ONE_ROW_EACH = {
    "v_prompts": "select count(*) from prompts",
    "v_sources": "select count(*) from sources",
    "v_responses": "select count(*) from responses",
    "v_shown_responses": "select count(*) from shown_responses",
    "v_judgements": "select count(*) from judgements",
    "v_scores": "select count(*) from scores",
    "v_corrections": "select count(*) from corrections",
    "v_preferences": "select count(*) from preferences",
    "v_builds": "select count(*) from builds",
    "v_runs": "select count(*) from runs",
    "v_imports": "select count(*) from imports",
    "v_refusals": "select count(*) from refusals",
    "v_pairs": "select 2 * count(*) from pairs",  # the builds of the store share their pairs under two names
    "v_build_prompts": "select 2 * count(*) from build_prompts",
    "v_build_shares": "select 2 * count(*) from build_shares",
    "v_policies": "select count(*) from artefacts where kind = 'policy'",
    "v_stages": "select 2 * count(*) from stages",
    "v_pair_feedback": "select 2 * count(*) from pair_feedback",
}


def view_columns(store):
    found = store.sql(
        "select view_name, column_name from duckdb_views() join duckdb_columns() on table_name = view_name "
        "where not duckdb_views.internal order by view_name, column_index"
    )
    columns = {}
    for view, column in found.rows():
        columns.setdefault(view, []).append(column)
    return columns


def documented_columns():
    columns = {}
    for section in (DOCS / "views.md").read_text(encoding="utf-8").split("\n## ")[1:]:
        view = section.split("\n")[0]
        columns[view] = [name for name in re.findall(r"(?m)^\| (\w+) \|", section) if name != "column"]
    return columns


def test_the_views_have_the_columns_that_docs_views_md_describes(small_store):
    assert documented_columns() == view_columns(small_store)


@pytest.mark.parametrize("view", PROMISED)
def test_a_view_has_the_columns_that_were_promised(small_store, view):
    assert set(PROMISED[view].split()) <= set(small_store.sql(f"from {view} limit 0").columns)


@pytest.mark.parametrize("view", ONE_ROW_EACH)
def test_a_view_shows_every_row_once(small_store, view):
    assert small_store.sql(f"select count(*) from {view}").item() == small_store.sql(ONE_ROW_EACH[view]).item()


def test_a_prompt_of_two_data_sets_is_one_row_with_both_names(small_store):
    found = small_store.sql("select dataset, external_ids from v_prompts where text = 'Name two colours.'")

    assert found.to_dicts() == [{"dataset": "demo,other", "external_ids": ["d1"]}]


def test_a_preference_names_the_source_of_an_answer_that_only_the_verdict_shows(small_store):
    found = small_store.sql(
        "select source_a, source_b, preference from v_preferences where reason = 'not_parsed' and judge = 'j1'"
    )

    assert found.rows() == [("base", "a/v2/7", None)]


def test_lineage_says_how_much_each_side_of_a_preference_is_preferred(small_store):
    found = small_store.sql(
        "select distinct side, judge, value from v_lineage where verdict = 'preference' and build = 'demo' "
        "and judge in ('j1', 'j2') order by all"
    )

    assert found.rows() == [
        ("chosen", "j1", 0.5),
        ("chosen", "j1", 1.0),
        ("chosen", "j2", 0.25),
        ("rejected", "j1", 0.5),
    ]


def test_lineage_has_a_row_for_a_side_without_a_verdict(small_store):
    small = "select source, count(verdict) as n from v_lineage where build = 'demo' and source = 'base' group by all"

    assert small_store.sql(small).rows() == [("base", 1)]
