from datetime import datetime

import pytest

TWO = {"prompt": "Name a river.", "text1": "The Po.", "text2": "No."}
ONE = {"question": "Name a river.", "answer": "The Po."}


def control(kind, value, *, name="pw", to="text1"):
    return {"id": "r", "from_name": name, "to_name": to, "type": kind, "value": value}


def annotation(*results, **fields):
    told = {"id": 7, "completed_by": 10, "was_cancelled": False, "created_at": "2021-03-09T22:16:08Z"}
    return {**told, "result": list(results), **fields}


def task(data, *annotations, **fields):
    return {"id": 1, "data": data, "annotations": list(annotations), "predictions": [], "project": 83, **fields}


def preferences(store):
    return store.sql(
        "select a.text, b.text, preference, v_preferences.reason, judge, judge_kind, rubric from v_preferences "
        "join v_responses as a on a.response_id = response_a join v_responses as b on b.response_id = response_b "
        "order by preference"
    ).rows()


def test_the_left_one_of_a_pairwise_control_is_the_first_answer(run_import, store):
    left, right = (annotation(control("pairwise", {"selected": side})) for side in ("left", "right"))

    assert run_import(
        "label-studio", [task(TWO, left, {**right, "completed_by": {"id": 3, "email": "a@b.c"}})]
    ).accepted
    assert preferences(store) == [
        ("The Po.", "No.", 0.0, None, "a@b.c", "human", "label-studio/pw"),
        ("The Po.", "No.", 1.0, None, "10", "human", "label-studio/pw"),
    ]
    assert store.sql("select external_ids from v_prompts").item().to_list() == ["1"]


@pytest.mark.parametrize(("choice", "value"), [("text2", 0.0), ("tie", 0.5)])
def test_a_choice_that_names_an_answer_is_a_preference(run_import, store, choice, value):
    run_import("label-studio", [task(TWO, annotation(control("choices", {"choices": [choice]})))])

    assert [row[2] for row in preferences(store)] == [value]


@pytest.mark.parametrize("kind", ["rating", "number"])
def test_a_rating_is_a_person_s_score_of_the_answer(run_import, store, kind):
    run_import("label-studio", [task(ONE, annotation(control(kind, {kind: 4}, name="quality", to="a")))])

    assert store.sql(
        "select text, dimension, value, judge, judge_kind from v_scores join v_responses using (response_id)"
    ).rows() == [("The Po.", "quality", 4.0, "10", "human")]


def test_a_rating_of_one_of_several_answers_is_found_by_what_it_is_tied_to(run_import, store):
    rated = annotation(control("rating", {"rating": 2}, name="stars", to="text2"))

    run_import("label-studio", [task(TWO, rated)])

    assert store.sql("select text, value from v_scores join v_responses using (response_id)").rows() == [("No.", 2.0)]


def test_a_rating_beside_a_prediction_corrects_the_model_s(run_import, store):
    quality = control("rating", {"rating": 5}, name="quality")
    human = annotation(control("rating", {"rating": 2}, name="quality"))

    run_import("label-studio", [task(ONE, human, predictions=[{"model_version": "judge-1", "result": [quality]}])])

    assert store.sql("select value, judge, judge_kind from v_scores").rows() == [(5.0, "judge-1", "model")]
    assert store.sql("select value, author, made_at from v_corrections").rows() == [
        (2.0, "10", datetime(2021, 3, 9, 22, 16, 8))  # noqa: DTZ001  UTC without a zone
    ]


UNKNOWN = (
    control("textarea", {"text": ["It flows."]}),
    control("ranker", {"ranker": {"rank": ["text1", "text2"]}}),
    control("choices", {"choices": ["good", "short"]}),
    control("choices", {"choices": ["good"]}),
    control("pairwise", {"selected": "none"}),
    control("rating", {}),
)


@pytest.mark.parametrize("unknown", UNKNOWN)
def test_a_control_of_an_unknown_type_is_null_with_its_words(run_import, store, unknown):
    run_import("label-studio", [task(TWO, annotation(unknown))])

    assert [row[2:4] for row in preferences(store)] == [(None, "unknown_question")]
    assert store.sql("select count(raw) from v_judgements").item() == 1


def test_a_cancelled_annotation_does_not_count(run_import, store):
    cancelled = annotation(control("pairwise", {"selected": "left"}), was_cancelled=True)

    run_import("label-studio", [task(TWO, cancelled)])

    assert [row[2:4] for row in preferences(store)] == [(None, "cancelled")]


def test_a_task_that_nobody_has_annotated_adds_its_answers(run_import, store):
    assert run_import("label-studio", [task(TWO, annotation())]).accepted == 1
    assert store.sql("select text from v_responses order by 1").rows() == [("No.",), ("The Po.",)]
    assert store.sql("select * from v_preferences").is_empty()


def test_names_of_the_project_s_own_are_mapped(run_import, store):
    data = {"q": "Name a river.", "x": "The Po.", "y": "No."}
    row = task(data, annotation(control("pairwise", {"selected": "right"})))

    run_import("label-studio", [row], mapping={"prompt": "q", "response": "x, y"}, dataset="rivers")

    assert preferences(store)[0][:3] == ("The Po.", "No.", 0.0)
    assert store.sql("select dataset from v_prompts").item() == "rivers"


BROKEN = (
    ({"id": 1, "pw": {"selected": "left"}, **TWO}, "missing_field"),  # JSON-MIN
    ({"id": 1, "data": TWO}, "missing_field"),
    (task("x"), "wrong_type"),
    (task({"image": "x.jpg"}), "missing_field"),
    (task(TWO, annotation(control("rating", 5))), "wrong_type"),
    (task(TWO, {"result": [{"type": "rating", "value": {}}]}), "missing_field"),
    (task(TWO, {"result": "x"}), "wrong_type"),
    (task(ONE, annotation(control("rating", {"rating": 5}), completed_by=[1])), "wrong_type"),
    (task(TWO, annotations="x"), "wrong_type"),
)


def test_a_broken_task_adds_nothing_and_is_counted_with_its_line(run_import, store):
    report = run_import("label-studio", [row for row, _ in BROKEN])

    assert report.failed.total() == report.rows == len(BROKEN)
    assert store.sql("select line, reason from v_refusals order by line").rows() == [
        (line, reason) for line, (_, reason) in enumerate(BROKEN, 1)
    ]
    assert store.sql("select * from v_responses").is_empty()
