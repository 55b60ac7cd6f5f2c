import pytest


def row(**fields):
    told = {
        "id": "213.0",
        "instance_index": "0",
        "instance_id": "task_2",
        "prompt": "Name a river.\n",
        "model_a": "big",
        "model_b": "small",
        "completion_a": "The Po.",
        "completion_b": "No.",
        "completion_a_is_acceptable": "yes",
        "completion_b_is_acceptable": "no",
        "preference": "a-is-better",
        "comment": "",
        "evaluator": "yo",
    }
    return {**told, **fields}


DEGREES = (
    ("a-is-better", 1.0),
    ("a-is-slightly-better", 0.75),
    ("tie", 0.5),
    ("b-is-slightly-better", 0.25),
    ("b-is-better", 0.0),
)


def test_five_degrees_are_five_numbers_and_the_word_is_kept(run_import, store):
    rows = [row(id=number, preference=word) for number, (word, _) in enumerate(DEGREES)]

    assert run_import("tulu-preferences", rows).accepted == len(DEGREES)
    assert store.sql(
        "select raw, preference, source_a, source_b, judge, judge_kind, is_hard from v_preferences "
        "join v_judgements using (judgement_id, judge, judge_kind) order by preference desc"
    ).rows() == [(word, value, "big", "small", "yo", "human", False) for word, value in DEGREES]


def test_each_answer_is_material_with_its_acceptability(run_import, store):
    run_import("tulu-preferences", [row()])

    assert store.sql(
        "select v_scores.source, text, value, dimension, scale_min, scale_max, judge, judge_kind from v_scores "
        "join v_responses using (response_id) where rubric = 'tulu-acceptable' order by 1"
    ).rows() == [
        ("big", "The Po.", 1.0, "acceptable", 0.0, 1.0, "yo", "human"),
        ("small", "No.", 0.0, "acceptable", 0.0, 1.0, "yo", "human"),
    ]
    assert store.sql("select text, external_ids from v_prompts").rows() == [("Name a river.\n", ["task_2"])]


def test_one_evaluator_who_judges_the_same_answers_again_is_counted_again(run_import, store):
    run_import("tulu-preferences", [row(), row(id="214.0"), row(id=214)])

    assert store.sql("select count(*) from v_preferences").item() == 2
    assert store.sql("select count(*) from v_scores").item() == 4


def test_an_answer_that_is_a_formula_is_kept_as_it_stands(run_import, store):
    run_import("tulu-preferences", [row(completion_a='=IF(C7="Po", 1, 0)')])

    assert store.sql("select text from v_responses where source = 'big'").item() == '=IF(C7="Po", 1, 0)'


def test_a_comment_stands_below_the_word(run_import, store):
    run_import("tulu-preferences", [row(comment="Both are short.")])

    assert store.sql("select raw from v_judgements where rubric = 'tulu-preference'").item() == (
        "a-is-better\nBoth are short."
    )


@pytest.mark.parametrize("empty", ["", None])
def test_rows_without_a_model_are_skipped(run_import, empty):
    report = run_import("tulu-preferences", [row(), row(model_a=empty, prompt=empty, evaluator=empty)])

    assert (report.accepted, report.skipped) == (1, {"no_model": 1})


def test_an_empty_cell_is_null_with_a_reason_and_the_rest_of_the_row_stands(run_import, store):
    run_import("tulu-preferences", [row(preference="", completion_b_is_acceptable=None, id="")])

    assert store.sql("select preference, reason from v_preferences").rows() == [(None, "no_score")]
    assert store.sql("select value, reason from v_scores order by 1").rows() == [(1.0, None), (None, "no_score")]


def test_the_same_answer_of_the_same_model_on_both_sides_is_skipped(run_import, store):
    report = run_import("tulu-preferences", [row(model_b="big", completion_b="The Po.", preference="tie")])

    assert report.skipped == {"equal_sides": 1}
    assert store.sql("select * from v_responses").is_empty()


BROKEN = (
    ({"preference": "a"}, "out_of_range"),
    ({"completion_a_is_acceptable": "maybe"}, "out_of_range"),
    ({"evaluator": ""}, "empty_field"),
    ({"model_b": ""}, "empty_field"),
    ({"completion_b": None}, "wrong_type"),
    ({"completion_b": "#ERROR!"}, "sheet_error"),  # the sheet's value of the answer =IF(C7="x" …
    ({"completion_a": "#N/A"}, "sheet_error"),
    ({"prompt": ""}, "empty_field"),
    ({"id": "x"}, "wrong_type"),
)


def test_a_broken_row_adds_nothing_and_is_counted_with_its_line(run_import, store):
    report = run_import("tulu-preferences", [row(**fields) for fields, _ in BROKEN])

    assert report.failed.total() == report.rows == len(BROKEN)
    assert store.sql("select line, reason from v_refusals order by line").rows() == [
        (line, reason) for line, (_, reason) in enumerate(BROKEN, 1)
    ]
    assert store.sql("select * from v_prompts").is_empty()


def test_a_sheet_without_the_columns_is_refused_and_not_skipped(run_import):
    assert run_import("tulu-preferences", [{"prompt": "q", "preference": "tie"}]).failed == {"missing_field": 1}
