import json

import pyarrow as pa
import pytest
from pyarrow import parquet

FOLLOWING = {"Rating": "4", "Rationale": "It does as told."}
TRUTH = {"Type": ["1", "2"], "Rationale": "It errs.", "Rating": "3", "Rationale For Rating": "One fault."}


def completion(**fields):
    told = {
        "model": "m",
        "principle": "helpfulness",
        "custom_system_prompt": "Be of help.",
        "response": "The Po.",
        "annotations": {"instruction_following": FOLLOWING, "truthfulness": TRUTH},
        "fine-grained_score": 3.5,
        "overall_score": 7.5,
        "critique": "Say more.",
    }
    return {**told, **fields}


def row(*completions, **fields):
    told = {"source": "flan", "instruction": "Name a river.", "models": ["m"], "correct_answers": ["None"]}
    return {**told, "completions": list(completions), **fields}


def scores(store, rubric="ultrafeedback"):
    return store.sql(f"select dimension, value, reason from v_scores where rubric = '{rubric}' order by all").rows()


def test_a_completion_is_an_answer_with_its_principle_in_its_settings(run_import, store):
    assert run_import("ultrafeedback", [row(completion())]).accepted == 1

    assert store.sql("select text, dataset, tags from v_prompts").rows() == [
        ("Name a river.", "ultrafeedback", ["flan"])
    ]
    assert store.sql("select source, text, settings from v_responses").rows() == [
        ("m", "The Po.", '{"custom_system_prompt":"Be of help.","principle":"helpfulness"}')
    ]


def test_each_aspect_is_a_score_with_its_rationale(run_import, store):
    run_import("ultrafeedback", [row(completion())])

    assert store.sql(
        "select dimension, value, scale_min, scale_max, judge, judge_kind, raw from v_scores "
        "join v_judgements using (judgement_id, judge, judge_kind) where v_scores.rubric = 'ultrafeedback' order by 1"
    ).rows() == [
        ("instruction_following", 4.0, 1.0, 5.0, "gpt-4", "model", "It does as told."),
        ("truthfulness", 3.0, 1.0, 5.0, "gpt-4", "model", json.dumps(TRUTH, sort_keys=True)),
    ]


def test_the_overall_score_has_a_rubric_of_its_own_and_the_critique_as_words(run_import, store):
    run_import("ultrafeedback", [row(completion())], judge="gpt-4-0613")

    assert store.sql(
        "select value, scale_max, dimension, judge, raw from v_scores join v_judgements using (judgement_id, judge) "
        "where v_scores.rubric = 'ultrafeedback-overall'"
    ).rows() == [(7.5, 10.0, "overall", "gpt-4-0613", "Say more.")]


NO_RATINGS = (
    ("N/A", "not_applicable"),
    ("", "no_score"),
    (None, "no_score"),
    ("five", "not_parsed"),
    (float("nan"), "not_parsed"),
)


@pytest.mark.parametrize(("given", "reason"), NO_RATINGS)
def test_a_rating_that_is_no_number_is_null_with_a_reason(run_import, store, given, reason):
    annotations = {"honesty": {"Rating": given, "Rationale": "None needed."}}

    assert run_import("ultrafeedback", [row(completion(annotations=annotations))]).accepted == 1
    assert scores(store) == [("honesty", None, reason)]


def test_a_ten_that_should_be_a_one_is_told_and_neither_used_nor_lost(run_import, store):
    doubtful = completion(overall_score=10, **{"fine-grained_score": 1.75})

    run_import("ultrafeedback", [row(doubtful)])

    assert scores(store, "ultrafeedback-overall") == [("overall", None, "doubtful_ten")]
    assert scores(store, "ultrafeedback-overall-as-given") == [("overall", 10.0, None)]


@pytest.mark.parametrize("fine", [{"fine-grained_score": 2.25}, {"fine-grained_score": None}])
def test_a_ten_with_fair_ratings_is_a_ten(run_import, store, fine):
    run_import("ultrafeedback", [row(completion(overall_score=10, **fine))])  # the ratings 4 and 3 stand for the mean

    assert scores(store, "ultrafeedback-overall") == [("overall", 10.0, None)]
    assert scores(store, "ultrafeedback-overall-as-given") == []


def test_a_ten_without_a_stated_mean_is_held_against_its_ratings(run_import, store):
    low = {"honesty": {"Rating": "1", "Rationale": "x"}, "helpfulness": {"Rating": "N/A", "Rationale": "y"}}

    run_import("ultrafeedback", [row(completion(annotations=low, overall_score=10, **{"fine-grained_score": None}))])

    assert scores(store, "ultrafeedback-overall") == [("overall", None, "doubtful_ten")]


def test_the_same_row_from_parquet_is_there_already(run_import, tmp_path):
    path = tmp_path / "rows.parquet"
    rows = [row(completion(), completion(model="n", annotations={"honesty": FOLLOWING}))]
    parquet.write_table(pa.Table.from_pylist(rows), path)  # with a null for each aspect that a completion lacks
    run_import("ultrafeedback", path)

    assert run_import("ultrafeedback", rows).present == 1


def test_two_completions_of_one_model_are_two_samples(run_import, store):
    run_import("ultrafeedback", [row(completion(), completion(), completion(model="n"))])

    assert store.sql("select source, sample_index from v_responses order by all").rows() == [
        ("m", 0),
        ("m", 1),
        ("n", 0),
    ]


def test_an_annotation_in_a_list_of_one_is_read_too(run_import, store):
    run_import("ultrafeedback", [row(completion(annotations={"honesty": [FOLLOWING]}))])

    assert scores(store) == [("honesty", 4.0, None)]


def test_correct_answers_are_references_and_the_word_none_is_none(run_import, store):
    run_import("ultrafeedback", [row(completion(), correct_answers=["The Po.", "None"])])

    assert store.sql("select author, text from prompt_references").rows() == [("ultrafeedback", "The Po.")]


def test_a_row_without_completions_is_skipped(run_import):
    assert run_import("ultrafeedback", [row()]).skipped == {"no_answer": 1}


def test_a_copy_without_overall_scores_has_none(run_import, store):
    bare = {name: value for name, value in completion().items() if name not in ("overall_score", "critique")}

    run_import("ultrafeedback", [row(bare)])

    assert scores(store, "ultrafeedback-overall") == []


BROKEN = (
    (row(completion(), instruction=" "), "empty_field"),
    (row(completion(), completions="x"), "wrong_type"),
    (row(completion(model=None)), "wrong_type"),
    (row(completion(response=None)), "wrong_type"),
    (row(completion(), completion(annotations="x")), "wrong_type"),
    (row(completion(annotations={"honesty": "5"})), "wrong_type"),
    (row(completion(annotations={"honesty": {"Rating": [5]}})), "wrong_type"),
    (row(completion(), correct_answers="None"), "wrong_type"),
)


def test_a_broken_row_adds_nothing_and_is_counted_with_its_line(run_import, store):
    report = run_import("ultrafeedback", [broken for broken, _ in BROKEN])

    assert report.failed.total() == report.rows == len(BROKEN)
    assert store.sql("select line, reason from v_refusals order by line").rows() == [
        (line, reason) for line, (_, reason) in enumerate(BROKEN, 1)
    ]
    assert store.sql("select * from v_responses").is_empty()
