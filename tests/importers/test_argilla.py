from datetime import datetime

import pytest

from tsodata.importers.annotations import read_time

FIELDS = {"prompt": "Name a river.", "response": "The Po."}
TWO = {"instruction": "Name a river.", "response_1": "The Po.", "response_2": "No."}


def nested(fields=None, *, responses=None, suggestions=None, **more):
    told = {"id": "rec-1", "fields": fields or FIELDS, "metadata": {}, "vectors": {}, "_server_id": "s"}
    return {**told, "responses": responses or {}, "suggestions": suggestions or {}, **more}


def by(user, value, **more):
    return {"value": value, "user_id": user, **more}


def scores(store):
    return store.sql("select dimension, value, reason, judge, judge_kind from v_scores order by all").rows()


def preferences(store):
    return store.sql(
        "select a.text, b.text, preference, v_preferences.reason, judge, rubric from v_preferences "
        "join v_responses as a on a.response_id = response_a join v_responses as b on b.response_id = response_b "
        "order by all"
    ).rows()


RATED = (
    nested(responses={"quality": [by("ann", 4), by("bob", 2)]}),
    nested(
        responses=[
            {"user_id": "ann", "status": "submitted", "values": {"quality": {"value": 4}}},
            {"user_id": "bob", "status": "submitted", "values": {"quality": {"value": 2}}},
        ]
    ),
    {
        **FIELDS,
        "id": "rec-1",
        "status": "completed",
        "quality.responses": [4, 2],
        "quality.responses.users": ["ann", "bob"],
        "quality.responses.status": ["submitted", "submitted"],
    },
    {
        **FIELDS,
        "external_id": "rec-1",
        "metadata": "{}",
        "quality": [by("ann", 4, status="submitted"), by("bob", 2, status="submitted")],
        "quality-suggestion": None,
        "quality-suggestion-metadata": {"agent": None, "score": None, "type": None},
    },
    {
        **FIELDS,
        "external_id": "rec-1",
        "metadata": None,
        "quality": {"user_id": ["ann", "bob"], "value": [4, 2], "status": ["submitted", "submitted"]},
    },
)


@pytest.mark.parametrize("row", RATED)
def test_every_shape_of_export_gives_the_same_scores_of_people(run_import, store, row):
    assert run_import("argilla", [row]).accepted == 1

    assert scores(store) == [("quality", 2.0, None, "bob", "human"), ("quality", 4.0, None, "ann", "human")]
    assert store.sql("select text, external_ids, dataset from v_prompts").rows() == [
        ("Name a river.", ["rec-1"], "argilla")
    ]
    assert store.sql("select source, text from v_responses").rows() == [("argilla", "The Po.")]


def test_a_choice_of_an_answer_is_a_preference_over_the_others(run_import, store):
    run_import("argilla", [nested(TWO, responses={"best": [by("ann", "response_2"), by("bob", "tie")]})], dataset="d")

    assert preferences(store) == [
        ("The Po.", "No.", 0.0, None, "ann", "d/best"),
        ("The Po.", "No.", 0.5, None, "bob", "d/best"),
    ]


RANKING = [{"value": "response_1", "rank": 2}, {"value": "response_2", "rank": 1}, {"value": "response_3", "rank": 2}]


@pytest.mark.parametrize(
    "ranking", [RANKING, {"value": [item["value"] for item in RANKING], "rank": [item["rank"] for item in RANKING]}]
)
def test_a_ranking_prefers_each_answer_to_those_ranked_lower(run_import, store, ranking):
    run_import("argilla", [nested({**TWO, "response_3": "Hm."}, responses={"order": [by("ann", ranking)]})])

    assert [row[:3] for row in preferences(store)] == [
        ("No.", "Hm.", 1.0),
        ("The Po.", "Hm.", 0.5),
        ("The Po.", "No.", 0.0),
    ]


def test_a_rating_of_one_of_several_answers_is_of_the_one_that_the_question_names(run_import, store):
    told = {"rating_2": [by("ann", 1)], "quality of response-1": [by("ann", 5)]}

    run_import("argilla", [nested(TWO, responses=told)])

    assert store.sql(
        "select text, dimension, value from v_scores join v_responses using (response_id) order by 1"
    ).rows() == [("No.", "rating_2", 1.0), ("The Po.", "quality of response-1", 5.0)]


SUGGESTED = {"quality": {"value": 5, "agent": "gpt-4", "score": None}}


def test_a_person_s_number_beside_a_model_s_corrects_it(run_import, store):
    row = nested(responses={"quality": [by("ann", 2)]}, suggestions=SUGGESTED, updated_at="2024-11-22T14:00:00+01:00")

    run_import("argilla", [row])

    assert scores(store) == [("quality", 5.0, None, "gpt-4", "model")]
    assert store.sql("select dimension, value, author, author_kind, made_at from v_corrections").rows() == [
        ("quality", 2.0, "ann", "human", datetime(2024, 11, 22, 13))  # noqa: DTZ001  UTC without a zone
    ]


def test_without_a_time_there_is_no_correction_but_a_score_of_its_own(run_import, store):
    flat = {
        **FIELDS,
        "quality.responses": [2],
        "quality.responses.users": ["ann"],
        "quality.responses.status": ["submitted"],
        "quality.suggestion": 5,
        "quality.suggestion.agent": "gpt-4",
    }
    run_import("argilla", [nested(responses={"quality": [by("ann", 2)]}, suggestions=SUGGESTED), flat])

    assert scores(store) == [
        ("quality", 2.0, None, "ann", "human"),
        ("quality", 5.0, None, "gpt-4", "model"),
    ]
    assert store.sql("select * from v_corrections").is_empty()


def test_a_suggested_label_that_datasets_wrote_as_its_number_is_no_score(run_import, store):
    flat = {
        **TWO,
        "best.responses": ["response_2"],
        "best.responses.users": ["ann"],
        "best.responses.status": ["submitted"],
        "best.suggestion": 0,
        "best.suggestion.agent": "gpt-4",
    }

    run_import("argilla", [flat])

    assert sorted(row[2:5] for row in preferences(store) if row[4] == "ann") == [(0.0, None, "ann")]
    assert [row[2:5] for row in preferences(store) if row[4] == "gpt-4"] == [(None, "unknown_question", "gpt-4")]
    assert store.sql("select * from v_scores").is_empty()


def test_drafts_and_discarded_responses_are_null_with_the_reason(run_import, store):
    told = [by("ann", 4, status="draft"), by("bob", None, status="discarded"), by("eve", 3, status={"x": 1})]
    responses = {"quality": told}

    run_import("argilla", [nested(responses=responses)])

    assert scores(store) == [
        ("quality", None, "discarded", "bob", "human"),
        ("quality", None, "draft", "ann", "human"),
        ("quality", None, "not_submitted", "eve", "human"),
    ]


@pytest.mark.parametrize("value", ["Because it flows.", ["long", "wet"], [{"start": 0, "end": 3, "label": "x"}], True])
def test_a_question_of_an_unknown_type_is_null_with_its_words_and_the_others_stand(run_import, store, value):
    run_import("argilla", [nested(responses={"quality": [by("ann", 4)], "why": [by("ann", value)]})])

    assert scores(store) == [("quality", 4.0, None, "ann", "human"), ("why", None, "unknown_question", "ann", "human")]
    assert store.sql("select count(*) from v_judgements").item() == 2


def test_an_unknown_question_of_several_answers_is_a_null_preference(run_import, store):
    run_import("argilla", [nested(TWO, responses={"why": [by("ann", "Both flow.")], "how much": [by("ann", 3)]})])

    assert [row[2:5] for row in preferences(store)] == [(None, "unknown_question", "ann")] * 2
    assert store.sql("select * from v_scores").is_empty()


def test_a_record_that_nobody_has_answered_adds_its_answers(run_import, store):
    empty = {
        **FIELDS,
        "id": "rec-1",
        "quality.responses": None,
        "quality.responses.users": None,
        "quality.responses.status": None,
    }

    assert run_import("argilla", [nested(), empty]).present == 1
    assert store.sql("select count(*) from v_responses").item() == 1


def test_models_come_from_the_metadata_and_fields_from_the_map(run_import, store):
    fields = {"frage": "Name a river.", "eins": "The Po.", "zwei": "No."}
    row = nested(fields, responses={"best": [by(None, "zwei")]}, metadata={"eins_model": "m", "zwei_model": "n"})

    run_import("argilla", [row], mapping={"prompt": "frage", "response": "eins,zwei"}, judge="crowd")

    assert store.sql("select source_a, source_b, preference, judge from v_preferences").rows() == [
        ("m", "n", 0.0, "crowd")
    ]


def test_metadata_may_be_json_text_or_columns_and_chat_turns_may_ask(run_import, store):
    turns = [{"role": "user", "content": "Name a river."}]
    flat = {"prompt": turns, "response": "The Po.", "metadata.model": "m"}

    run_import("argilla", [{**FIELDS, "metadata": '{"model": "m"}'}, flat])

    assert store.sql("select source, text from v_responses").rows() == [("m", "The Po.")]


UNEQUAL = {**FIELDS, "quality.responses": [4, 2], "quality.responses.users": ["ann"]}
BROKEN = (
    (nested({"text": "Name a river.", "response": "x"}), "missing_field"),
    (nested({"prompt": "Name a river.", "reply": "x"}), "missing_field"),
    (nested({"prompt": " ", "response": "x"}), "empty_field"),
    (nested({"prompt": "q", "response": 7}), "wrong_type"),
    (nested({"prompt": "q", "response": "x"}, responses={"quality": 4}), "wrong_type"),
    (nested(responses={"quality": [4]}), "wrong_type"),
    (nested(responses={"quality": [by({"id": 1}, 4)]}), "wrong_type"),
    (nested(suggestions=[{"value": 4}]), "missing_field"),
    (nested(metadata="{"), "wrong_type"),
    (UNEQUAL, "unequal_lengths"),
    ({**UNEQUAL, "quality.responses": 4}, "wrong_type"),
)


def test_a_broken_record_adds_nothing_and_is_counted_with_its_line(run_import, store):
    report = run_import("argilla", [row for row, _ in BROKEN])

    assert report.failed.total() == report.rows == len(BROKEN)
    assert store.sql("select line, reason from v_refusals order by line").rows() == [
        (line, reason) for line, (_, reason) in enumerate(BROKEN, 1)
    ]
    assert "no field for the prompt; found 'text', 'response'. Pass --map prompt=FIELD" in report.first_refusals[0]
    assert store.sql("select * from v_responses").is_empty()


@pytest.mark.parametrize("value", [None, 5, "yesterday", "0001-01-01T00:00:00+05:00"])
def test_what_is_no_time_in_utc_is_none(value):
    assert read_time(value) is None
