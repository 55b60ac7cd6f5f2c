import datetime as dt

import pyarrow as pa
from pyarrow import parquet

ROW = {"prompt": "Why?", "response": "Because.", "model": "m"}
TURNS = [
    {"role": "user", "content": "Hello?"},
    {"role": "assistant", "content": "Hi."},
    {"role": "user", "content": "Why?"},
]
BROKEN = (
    ({"prompt": None}, "wrong_type"),
    ({"prompt": " \n"}, "empty_field"),
    ({"response": 7}, "wrong_type"),
    ({"model": None}, "unknown_model"),
    ({"model": ["m"]}, "wrong_type"),
    ({"messages": "[not json"}, "wrong_type"),
    ({"messages": [{"role": "user"}]}, "wrong_type"),
    ({"messages": TURNS[:2]}, "bad_content"),
    ({"tags": 7}, "wrong_type"),
    ({"tags": {"a": 1}}, "wrong_type"),
    ({"tags": [1]}, "wrong_type"),
    ({"settings": [1]}, "wrong_type"),
    ({"settings": "{'a': 1}"}, "wrong_type"),
    ({"settings": {"temperature": float("nan")}}, "bad_content"),
    ({"human": ["me"]}, "wrong_type"),
    ({"family": "f", "size": "large"}, "bad_content"),
    ({"seed": 1.5}, "wrong_type"),
    ({"seed": "one"}, "wrong_type"),
    ({"score": 5}, "missing_field"),  # by whom?
    ({"raw": "words", "judge": "j"}, "missing_field"),  # with which score?
    ({"response": None, "score": 5, "judge": "j"}, "missing_field"),
    ({"judgements": {"score": 5}}, "wrong_type"),
    ({"judgements": [5]}, "wrong_type"),
    ({"judgements": [{"judge": "j"}]}, "missing_field"),
    ({"score": 5, "judge": "j", "scale_max": "high"}, "wrong_type"),
)


def responses(store, columns):
    return store.sql(f"select {columns} from v_responses order by all").rows()


def test_a_broken_row_is_a_counted_failure_with_its_line(run_import, store):
    report = run_import("records", [{**ROW, **fields} for fields, _ in BROKEN])

    assert report.failed.total() == report.rows == len(BROKEN)
    assert store.sql("select line, reason from v_refusals order by line").rows() == [
        (line, reason) for line, (_, reason) in enumerate(BROKEN, 1)
    ]
    assert "rows.jsonl:1: field 'prompt' is NoneType, not text" in report.first_refusals[0]
    assert responses(store, "text") == []


def test_a_row_without_a_response_adds_its_prompt_alone(run_import, store):
    report = run_import("records", [{"prompt": "Why?", "dataset": "d", "prompt_id": 7, "tags": "a, b"}])

    assert report.accepted == 1
    assert store.sql("select text, dataset, external_ids, tags from v_prompts").rows() == [
        ("Why?", "d", ["7"], ["a", "b"])
    ]


def test_a_system_message_makes_another_prompt(run_import, store):
    run_import("records", [ROW, {**ROW, "system": "Be brief."}])

    assert store.sql("select messages, n_turns from v_prompts order by len(messages)").rows() == [
        ([{"role": "user", "content": "Why?"}], 1),
        ([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}], 1),
    ]


def test_messages_are_a_prompt_of_several_turns(run_import, store):
    run_import("records", [{"messages": TURNS, "response": "So.", "model": "m"}])

    assert store.sql("select messages, n_turns, own_turns from v_prompts").rows() == [(TURNS, 2, False)]


def test_fields_may_go_by_other_names_and_refusals_use_those(run_import, store):
    mapping = {"prompt": "question", "response": "reply", "model": "who"}
    rows = [{"question": "Why?", "reply": "Because.", "who": "m"}, {"prompt": "Why?"}]

    report = run_import("records", rows, mapping=mapping)

    assert responses(store, "source, text") == [("m", "Because.")]
    assert report.first_refusals[0].endswith("rows.jsonl:2: no field 'question'; found 'prompt'")


def test_a_row_may_state_its_cell_itself(run_import, store):
    run_import("records", [{**ROW, "family": "f", "version": 1.5, "size": size} for size in (7, "7B", "7000M", None)])

    assert responses(store, "family, version, size") == [("f", "1.5", 7.0), ("f", "1.5", None)]


def test_people_answer_where_the_row_says_so(run_import, store):
    said = (True, "true", "1", "ann", False, "false", "False", "0", "", None)

    run_import("records", [{**ROW, "response": str(n), "human": human} for n, human in enumerate(said)])

    assert dict(responses(store, "text, source")) == {
        **dict.fromkeys("012", "human"),
        "3": "human:ann",
        **dict.fromkeys("456789", "m"),
    }


def test_people_answer_where_no_model_is_named_and_the_import_says_so(run_import, store):
    rows = [{"prompt": "Why?", "response": "a"}, {"prompt": "Why?", "response": "b", "model": "m"}]

    run_import("records", rows, human="staff")

    assert responses(store, "text, source") == [("a", "human:staff"), ("b", "m")]


def test_what_shaped_an_answer_is_kept_with_it(run_import, store):
    fields = {"sample": 2, "seed": 2**53 + 1, "finish_reason": "length", "settings": {"top_p": 0.9, "n": 1}, "id": 9}

    run_import("records", [{**ROW, **fields}])

    assert responses(store, "sample_index, seed, finish_reason, settings, external_id") == [
        (2, 2**53 + 1, "length", '{"n":1,"top_p":0.9}', "9")  # a float would hold the seed as 2**53
    ]


def test_samples_tell_equal_answers_of_one_model_apart(run_import, store):
    report = run_import("records", [ROW, {**ROW, "sample": 1}, {**ROW, "sample": 1}])

    assert (report.accepted, report.present) == (2, 1)
    assert responses(store, "sample_index") == [(0,), (1,)]


def test_an_empty_answer_is_stored_as_such(run_import, store):
    run_import("records", [{**ROW, "response": " \n"}])

    assert responses(store, "is_empty, n_chars") == [(True, 2)]


def test_a_score_is_stored_with_judge_rubric_dimension_and_scale(run_import, store):
    said = {
        "score": "4.5",
        "judge": "j",
        "rubric": "depth",
        "dimension": "d",
        "scale_min": 1,
        "scale_max": 5,
        "raw": "Well.",
    }

    run_import("records", [{**ROW, **said}])

    columns = (
        "value, v_scores.judge, v_scores.judge_kind, v_scores.rubric, dimension, scale_min, scale_max, parser, raw"
    )
    assert store.sql(f"select {columns} from v_scores join v_judgements using (judgement_id)").rows(named=True) == [
        {
            "value": 4.5,
            "judge": "j",
            "judge_kind": "model",
            "rubric": "depth",
            "dimension": "d",
            "scale_min": 1.0,
            "scale_max": 5.0,
            "parser": "imported",
            "raw": "Well.",
        }
    ]


def test_several_judgements_of_one_answer_come_as_a_list(run_import, store):
    said = [{"score": 1, "judge": "j"}, {"score": 2, "judge": "j", "dimension": "d", "sample": 1}, {"score": 3}]

    run_import("records", [{**ROW, "judgements": said}], judge="k")

    assert store.sql("select value, judge, dimension, sample_index from v_scores order by value").rows() == [
        (1.0, "j", "overall", 0),
        (2.0, "j", "d", 1),
        (3.0, "k", "overall", 0),
    ]


def test_no_score_is_never_a_number(run_import, store):
    rows = [
        {**ROW, "response": "a", "score": None, "judge": "j"},  # says nothing
        {**ROW, "response": "b", "score": None, "judge": "j", "raw": "I cannot."},
        {**ROW, "response": "c", "score": None, "judge": "j", "reason": "timeout"},
        {**ROW, "response": "d", "judgements": []},
    ]

    assert run_import("records", rows).accepted == 4
    assert store.sql(
        "select text, value, reason from v_scores join v_responses using (response_id) order by 1"
    ).rows() == [
        ("b", None, "no_score"),
        ("c", None, "timeout"),
    ]


def test_empty_fields_of_a_csv_file_say_nothing(run_import, store, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(
        "prompt,response,model,messages,seed,score,judge,settings,tags\nWhy?,a,m,,,,,,\nWhy?,b,m,,7,3,j,{},x\n"
    )

    assert run_import("records", path).accepted == 2
    assert responses(store, "text, seed, settings") == [("a", None, None), ("b", 7, "{}")]
    assert store.sql("select value from v_scores").rows() == [(3.0,)]


def test_lists_and_objects_come_from_parquet_as_they_are(run_import, store, tmp_path):
    path = tmp_path / "rows.parquet"
    row = {"messages": TURNS, "response": "So.", "model": "m", "settings": {"n": 1}, "tags": ["x"], "seed": 7}
    parquet.write_table(pa.Table.from_pylist([{**row, "judgements": [{"score": 1.5, "judge": "j"}]}]), path)

    assert run_import("records", path).accepted == 1
    assert responses(store, "seed, settings") == [(7, '{"n":1}')]
    assert store.sql("select tags from v_prompts").item().to_list() == ["x"]
    assert store.sql("select value from v_scores").item() == 1.5


def test_settings_that_json_cannot_hold_are_a_counted_failure(run_import, tmp_path):
    path = tmp_path / "rows.parquet"
    parquet.write_table(pa.Table.from_pylist([{**ROW, "settings": {"day": dt.date(2024, 1, 1)}}]), path)

    report = run_import("records", path)

    assert report.failed == {"wrong_type": 1}
    assert f"{path}:1: field 'settings' is not plain JSON" in report.first_refusals[0]
