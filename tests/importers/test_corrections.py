import os
from datetime import UTC, datetime

import pytest

ANSWER = {"prompt": "Name a river.", "family": "m", "version": "1", "size": 7, "response": "The Po."}
SCORE = {"judge": "j", "rubric": "paper", "scale_min": 2, "scale_max": 10, "score": 4}


@pytest.fixture
def row(run_import, store):
    """A row about the one answer of the store."""
    run_import("records", [{**ANSWER, **SCORE}], name="answers.jsonl")
    ids = "select tso_id('r', response_key), tso_id('t', text_key), tso_id('rub', rubric_key) from responses, rubrics"
    return dict(zip(("response_id", "text_id", "rubric_id"), store.sql(ids).row(0), strict=True), score=8)


def stored(store):
    return store.sql("select value, author, author_kind, dimension, rubric from v_corrections order by all").rows()


def test_a_row_is_a_correction_by_a_person_or_by_a_model(run_import, store, row):
    run_import("corrections", [row], human="ann")
    run_import("corrections", [{**row, "author": "bob", "dimension": "logic"}], name="b.jsonl")
    run_import("corrections", [row], name="c.jsonl", by="big")
    run_import("corrections", [{**row, "author": "gpt", "author_kind": "model"}], name="d.jsonl")

    assert stored(store) == [
        (8.0, "ann", "human", "overall", "paper"),
        (8.0, "big", "model", "overall", "paper"),
        (8.0, "bob", "human", "logic", "paper"),
        (8.0, "gpt", "model", "overall", "paper"),
    ]


def test_a_second_thought_is_appended_beside_the_first(run_import, store, row):
    run_import("corrections", [{**row, "made_at": "2026-01-01T00:00:00Z"}], human="ann")
    again = run_import("corrections", [{**row, "made_at": "2026-01-01T00:00:00Z"}], human="ann")
    run_import(
        "corrections", [{**row, "score": 3, "made_at": "2026-01-02T00:00:00+01:00"}], name="2.jsonl", human="ann"
    )

    assert again.present == 1
    assert store.sql("select value, made_at::varchar from v_corrections order by made_at").rows() == [
        (8.0, "2026-01-01 00:00:00"),
        (3.0, "2026-01-01 23:00:00"),
    ]


def test_without_a_time_a_row_has_that_of_its_file(run_import, store, row, tmp_path):
    path = tmp_path / "old.csv"
    path.write_text(",".join(row) + "\n" + ",".join(str(value) for value in row.values()) + "\n")
    os.utime(path, (86_400, 86_400))

    run_import("corrections", path, human="ann")

    assert store.sql("select made_at from v_corrections").item() == datetime(1970, 1, 2, tzinfo=UTC).replace(
        tzinfo=None
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"text_id": "t1-0000000000000000"}, "content_changed"),
        ({"text_id": "The Po."}, "content_changed"),
        ({"response_id": "r1-0000000000000000"}, "unknown_answer"),
        ({"response_id": 5}, "unknown_answer"),
        ({"rubric_id": "rub1-0000000000000000"}, "unknown_rubric"),
        ({"rubric_id": None}, "missing_field"),
        ({"score": 1.9}, "out_of_scale"),
        ({"score": "good"}, "wrong_type"),
        ({"author": None}, "missing_field"),
        ({"author": "n" * 301}, "bad_content"),
        ({"author_kind": "dog"}, "wrong_type"),
        ({"made_at": "yesterday"}, "wrong_type"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_reason(run_import, store, row, change, reason):
    report = run_import("corrections", [{**row, "author": "ann", **change}])

    assert report.failed == {reason: 1}
    assert stored(store) == []


@pytest.mark.parametrize("score", [None, ""])
def test_a_row_that_nobody_filled_is_skipped(run_import, store, row, score):
    assert run_import("corrections", [{**row, "score": score}]).skipped == {"not_filled": 1}
    assert stored(store) == []


def test_a_rubric_by_name_is_the_stores_own_or_a_new_one(run_import, store, row):
    named = {**row, "rubric_id": None, "author": "ann"}
    run_import("corrections", [{**named, "rubric": "paper"}])
    run_import("corrections", [{**named, "rubric": "mine", "scale_min": 1, "scale_max": 9}], name="2.jsonl")

    rubrics = store.sql("select name, scale_min, scale_max from rubrics order by all").rows()
    assert rubrics == [("mine", 1.0, 9.0), ("paper", 2.0, 10.0)]
    run_import("records", [{**ANSWER, **SCORE, "scale_max": 5}], name="other.jsonl")
    report = run_import("corrections", [{**named, "rubric": "paper", "score": 4}], name="3.jsonl")
    assert report.failed == {"unknown_rubric": 1}


def test_a_record_of_argilla_about_a_stored_answer_is_a_correction_and_no_answer(run_import, store, row):
    about = {name: row[name] for name in ("response_id", "text_id", "rubric_id")}
    responses = [
        {"user_id": "ann", "status": "submitted", "values": {"score": {"value": 7}, "reason": {"value": "so"}}},
        {"user_id": "bob", "status": "draft", "values": {"score": {"value": 2}}},
    ]
    record = {"id": "1", "fields": {"prompt": "changed"}, "metadata": about, "responses": responses}
    undone = {**record, "responses": responses[1:]}
    moved = {**record, "metadata": {**about, "text_id": "t1-0000000000000000"}}

    report = run_import("argilla", [record, undone, moved])

    assert (report.accepted, report.skipped, report.failed) == (1, {"not_filled": 1}, {"content_changed": 1})
    assert stored(store) == [(7.0, "ann", "human", "overall", "paper")]
    assert store.sql("select count(*) from prompts").item() == 1
