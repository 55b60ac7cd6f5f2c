import pytest

VERDICTS = {"clarity": {"reason": "Short.", "score": "5"}, "depth": {"reason": "Too short.", "score": "2"}}


def row(**fields):
    told = {
        "id": 0,
        "input": "Name a river.",
        "output_cand": "The Po.",
        "generator_cand": "just_results//m-7b.json",
        "eval_config": {"mode": "score_multi", "gpt": "gpt-4-1106-preview"},
        "prompt": "Please judge.",
        "result": '{"clarity": …}',
        "parsed_result": VERDICTS,
    }
    return {**told, **fields}


def test_each_dimension_is_a_score_whose_reason_is_the_judge_s_words(run_import, store):
    assert run_import("just-eval", [row()]).accepted == 1

    assert store.sql(
        "select dimension, value, source, scale_min, scale_max, judge, raw from v_scores "
        "join v_judgements using (judgement_id, judge) order by 1"
    ).rows() == [
        ("clarity", 5.0, "m-7b", 1.0, 5.0, "gpt-4-1106-preview", "Short."),
        ("depth", 2.0, "m-7b", 1.0, 5.0, "gpt-4-1106-preview", "Too short."),
    ]


def test_the_model_is_the_last_part_of_the_path_and_may_be_placed(run_import, store):
    run_import("just-eval", [row()], family="m", version="1", size=7.0)

    assert store.sql("select source from v_responses").item() == "m/1/7"
    assert store.sql("select external_ids from v_prompts").item().to_list() == ["0"]


@pytest.mark.parametrize(
    ("given", "reason"), [("N/A", "not_applicable"), (None, "no_score"), ("high", "not_parsed"), ("nan", "not_parsed")]
)
def test_a_dimension_without_a_number_is_null_and_the_others_stand(run_import, store, given, reason):
    run_import("just-eval", [row(parsed_result={**VERDICTS, "depth": {"reason": "Hm.", "score": given}})])

    assert store.sql("select dimension, value, reason from v_scores order by 1").rows() == [
        ("clarity", 5.0, None),
        ("depth", None, reason),
    ]


@pytest.mark.parametrize("nothing", [None, {}])
def test_a_result_that_was_not_parsed_is_one_null_with_the_whole_words(run_import, store, nothing):
    run_import("just-eval", [row(parsed_result=nothing, result="I cannot.")])

    assert store.sql(
        "select dimension, value, reason, raw from v_scores join v_judgements using (judgement_id)"
    ).rows() == [("overall", None, "not_parsed", "I cannot.")]


def test_the_flag_names_the_judge_before_the_file(run_import, store):
    run_import("just-eval", [row()], judge="me")

    assert store.sql("select distinct judge from v_scores").item() == "me"


BROKEN = (
    ({"id": None}, "wrong_type"),
    ({"input": ""}, "empty_field"),
    ({"output_cand": None}, "wrong_type"),
    ({"generator_cand": "x/"}, "unknown_model"),
    ({"eval_config": None}, "unknown_judge"),
    ({"parsed_result": []}, "missing_field"),
    ({"parsed_result": "5"}, "wrong_type"),
    ({"parsed_result": {"depth": "5"}}, "wrong_type"),
    ({"parsed_result": {"depth": {"score": True}}}, "wrong_type"),
)


def test_a_broken_row_adds_nothing_and_is_counted_with_its_line(run_import, store):
    rows = [row(**fields) for fields, _ in BROKEN]
    del rows[5]["result"]  # not parsed, and without the words either

    report = run_import("just-eval", rows)

    assert report.failed.total() == report.rows == len(BROKEN)
    assert store.sql("select line, reason from v_refusals order by line").rows() == [
        (line, reason) for line, (_, reason) in enumerate(BROKEN, 1)
    ]
    assert store.sql("select * from v_scores").is_empty()
