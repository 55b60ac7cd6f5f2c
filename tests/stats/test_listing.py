"""Statements that stand alone, whatever names are filled in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsodata.stats.listing import Listing, literal, named_subject

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    from tsodata.store import Store

    store = Store.open(tmp_path_factory.mktemp("listing") / "s.duckdb", create=True)
    with store.locked_down() as connection:
        yield lambda text: connection.execute(text).fetchall()


@given(value=st.one_of(TEXTS, st.integers(-(2**62), 2**62), st.floats(allow_nan=False, allow_infinity=False)))
def test_a_literal_is_read_as_the_value_it_was(answers, value):
    assert answers(f"select {literal(value)}")[0][0] == pytest.approx(value)


@given(value=st.lists(TEXTS, min_size=1))
def test_a_list_of_names_is_read_as_it_was(answers, value):
    assert answers(f"select {literal(value)}::varchar[]") == [(value,)]


def test_nothing_and_truth_are_words():
    assert [literal(None), literal(True), literal([])] == ["null", "true", "[]"]


def test_what_sql_cannot_hold_is_our_own_mistake():
    with pytest.raises(TypeError, match="object has no place in SQL"):
        literal(object())


def test_a_name_that_would_end_the_statement_is_only_a_name(answers):
    listing = Listing("stats/pair_lengths", {"build": "b'; drop table pairs; --"})

    assert answers(listing.statement("difference", {"pool": "x' or 1 = 1 --"})) == []


def test_a_statement_begins_with_its_question_and_ends_with_its_order():
    text = Listing("stats/duplicate_prompts", {}).statement("is_duplicate", {})

    assert text.splitlines()[0] == "/* Which prompts have the words of another prompt, but for case and blanks? */"
    assert text.splitlines()[-1] == "order by is_duplicate desc, prompt_id"


def test_a_subject_is_taken_apart_by_the_names_of_its_columns():
    assert named_subject(["gpt-4", "r"], ("judge", "rubric")) == {"judge": "gpt-4", "rubric": "r"}
    assert named_subject("m/v1/7", ("source",)) == {"source": "m/v1/7"}
    assert named_subject("", ()) == {}
