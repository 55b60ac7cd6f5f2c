import json

import pytest

TUNED, OTHER = "7b-guanaco-vicuna-generations", "13b-guanaco-vicuna-generations"
QUESTIONS = ("How tall is it?", "Who was she?")


@pytest.fixture
def run_named(run_import, tmp_path):
    """Import rows from a file of a given name, which this format reads models from."""

    def import_named(format_name, stem, rows, **options):
        path = tmp_path / f"{stem}.jsonl"
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        return run_import(format_name, path, **options)

    return import_named


def generations(text):
    return [
        {
            "question_id": n,
            "text": question,
            "category": "generic",
            "prompt": f"### {question}",
            "generation": f"{text} {n}",
        }
        for n, question in enumerate(QUESTIONS, 1)
    ]


def answers(stem):
    return [{"question_id": n, "text": f"{stem} says {n}", "answer_id": f"{stem}-{n}"} for n in (1, 2)]


def rating(first, second, scores, **fields):
    return {
        "review_id": "r1",
        "question_id": 1,
        "answer1_id": first,
        "answer2_id": second,
        "text": "8 3\nThe first is better.",
        "score": scores,
        **fields,
    }


@pytest.fixture
def answered(run_named):
    run_named("qlora", TUNED, generations("tuned"))
    run_named("qlora", "answer_gpt35", answers("gpt35"))
    run_named("qlora", "answer_bard", answers("bard"))


def scores(store):
    return dict(store.sql("select source, value from v_scores").rows())


def test_a_generation_is_of_the_model_that_its_file_is_named_after(run_named, store):
    report = run_named("qlora", TUNED, generations("tuned"))

    assert report.accepted == 2
    assert report.unplaced == {TUNED}
    assert store.sql("select source, text, settings from v_responses order by text").rows() == [
        (TUNED, "tuned 1", '{"rendered_prompt":"### How tall is it?"}'),
        (TUNED, "tuned 2", '{"rendered_prompt":"### Who was she?"}'),
    ]
    assert store.sql("select text, external_ids, tags from v_prompts order by text").rows() == [
        ("How tall is it?", ["1"], ["generic"]),
        ("Who was she?", ["2"], ["generic"]),
    ]


def test_answers_need_the_questions_first(run_named, store):
    report = run_named("qlora", "answer_gpt35", answers("gpt35"))
    assert report.failed == {"unknown_prompt": 2}
    assert "question 1 of 'vicuna' is not in the store" in report.first_refusals[0]

    questions = [{"question_id": n, "text": question} for n, question in enumerate(QUESTIONS, 1)]
    assert run_named("qlora", "vicuna_questions", questions).accepted == 2
    assert run_named("qlora", "answer_gpt35", answers("gpt35")).accepted == 2
    assert store.sql("select external_id from v_responses order by 1").to_series().to_list() == ["gpt35-1", "gpt35-2"]


@pytest.mark.usefixtures("answered")
def test_ratings_land_on_the_right_model_although_the_file_name_gives_the_reverse_order(run_named, store):
    run_named("qlora-ratings", f"{TUNED}-vs-gpt-3.5-gpt4-reviewer", [rating("gpt35-1", "unheard-of", [8, 3])])

    assert scores(store) == {"answer_gpt35": 8.0, TUNED: 3.0}


@pytest.mark.usefixtures("answered")
def test_ratings_land_on_the_right_model_where_the_file_name_gives_the_other_order(run_named, store):
    run_named("qlora-ratings", f"gpt-3.5-vs-{TUNED}-gpt4-reviewer", [rating("unheard-of", "gpt35-1", [8, 3])])

    assert scores(store) == {TUNED: 8.0, "answer_gpt35": 3.0}


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize("stem", ["bard-vs-gpt-3.5-gpt4-reviewer", "gpt-3.5-vs-bard-gpt4-reviewer"])
def test_two_known_answers_need_no_file_name_at_all(run_named, store, stem):
    run_named("qlora-ratings", stem, [rating("bard-1", "gpt35-1", [8, 3])])

    assert scores(store) == {"answer_bard": 8.0, "answer_gpt35": 3.0}


@pytest.mark.usefixtures("answered")
def test_a_rating_keeps_the_judge_s_words_and_the_order_shown(run_named, store):
    run_named("qlora-ratings", f"{TUNED}-vs-gpt-3.5-gpt4-reviewer", [rating("gpt35-1", "x", [8, 3])])

    assert store.sql(
        "select judge, rubric, raw, first.source, second.source from v_judgements "
        "join v_responses as first using (response_id) "
        "join v_responses as second on second.response_id = other_response_id"
    ).rows() == [("gpt-4", "qlora-relative", "8 3\nThe first is better.", "answer_gpt35", TUNED)]


@pytest.mark.usefixtures("answered")
def test_minus_one_takes_both_scores_away(run_named, store):
    stem = f"{TUNED}-vs-gpt-3.5-gpt4-reviewer"
    rows = [rating("gpt35-1", "x", [-1, -1]), rating("gpt35-1", "x", [7, -1.0], review_id="r2")]

    assert run_named("qlora-ratings", stem, rows).accepted == 2
    assert store.sql("select distinct value, reason from v_scores").rows() == [(None, "not_parsed")]


@pytest.mark.usefixtures("answered")
def test_a_judge_may_be_named_and_must_be_where_the_file_name_names_none(run_named, store):
    rows = [rating("bard-1", "gpt35-1", [8, 3])]

    assert run_named("qlora-ratings", "ratings", rows).failed == {"unknown_judge": 1}
    assert run_named("qlora-ratings", "ratings", rows, judge="claude").accepted == 1
    assert store.sql("select distinct judge from v_scores").item() == "claude"


BROKEN = (
    ({"question_id": 3}, "unknown_prompt"),
    ({"question_id": [1]}, "wrong_type"),
    ({"question_id": 2}, "unknown_answer"),  # the answer named is to question 1
    ({"answer1_id": "x"}, "unknown_answer"),
    ({"answer2_id": None}, "wrong_type"),
    ({"score": [1]}, "wrong_type"),
    ({"score": ["8", "3"]}, "wrong_type"),
    ({"score": [8, None]}, "wrong_type"),
    ({"score": [8, float("nan")]}, "wrong_type"),
    ({"score": [True, 3]}, "wrong_type"),
    ({"text": None}, "wrong_type"),
)


@pytest.mark.usefixtures("answered")
def test_a_broken_rating_is_a_counted_failure_with_its_line(run_named, store):
    stem = f"{TUNED}-vs-gpt-3.5-gpt4-reviewer"

    report = run_named("qlora-ratings", stem, [{**rating("gpt35-1", "y", [8, 3]), **fields} for fields, _ in BROKEN])

    assert report.failed.total() == report.rows == len(BROKEN)
    assert store.sql("select line, reason from v_refusals order by line").rows() == [
        (line, reason) for line, (_, reason) in enumerate(BROKEN, 1)
    ]
    assert f"{stem}.jsonl:1: question 3 of 'vicuna' is not in the store" in report.first_refusals[0]
    assert store.sql("select * from v_scores").is_empty()


@pytest.mark.usefixtures("answered")
def test_a_file_name_that_does_not_tell_the_other_model_is_refused(run_named):
    rows = [rating("gpt35-1", "x", [8, 3])]

    assert run_named("qlora-ratings", f"{OTHER}-vs-{TUNED}-gpt4-reviewer", rows).failed == {"unknown_model": 1}
    assert run_named("qlora-ratings", f"{OTHER}-vs-gpt-3.5-gpt4-reviewer", rows).failed == {"unknown_answer": 1}
