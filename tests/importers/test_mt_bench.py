import pytest

QUESTION = {
    "question_id": 81,
    "category": "writing",
    "turns": ["Write a poem.", "Now shorter."],
    "reference": ["Roses."],
}
ANSWER = {
    "question_id": 81,
    "answer_id": "a1",
    "model_id": "m",
    "choices": [{"index": 0, "turns": ["A long poem.", "A poem."]}],
}
FIRST = (
    "[Instruction]\nJudge.\n\n[Question]\nWrite a poem.\n\n"
    "[The Start of Assistant's Answer]\nA long poem.\n[The End of Assistant's Answer]"
)
SECOND = (
    "<|The Start of Reference Answer|>\n\n### User:\nWrite a poem.\n\n### Reference answer:\nRoses.\n\n"
    "<|The End of Reference Answer|>\n\n\n"
    "<|The Start of Assistant A's Conversation with User|>\n\n### User:\nWrite a poem.\n\n### Assistant A:\n"
    "A long poem.\n\n### User:\nNow shorter.\n\n### Assistant A:\nA poem.\n\n"
    "<|The End of Assistant A's Conversation with User|>"
)


def judgment(turn, /, **fields):
    judge = ["gpt-4", "single-v1" if turn == 1 else "single-v1-multi-turn"]
    prompt = FIRST if turn == 1 else SECOND
    told = {"judge": judge, "user_prompt": prompt, "judgment": "Good. [[8]]", "score": 8, "turn": turn, "tstamp": 1.5}
    return {"question_id": 81, "model": "m", **told, **fields}


@pytest.fixture
def questions(run_import):
    return run_import("mt-bench-questions", [QUESTION])


def refusals(store):
    return store.sql("select line, reason from v_refusals order by line").rows()


@pytest.mark.usefixtures("questions")
def test_a_question_of_two_turns_is_two_prompts_the_second_open_to_the_model_s_own_answer(store):
    first, second = store.sql(
        "select messages, n_turns, own_turns, external_ids, tags from v_prompts order by n_turns"
    ).rows()

    assert first == ([{"role": "user", "content": "Write a poem."}], 1, False, ["81/1"], ["turn-1", "writing"])
    assert second == (
        [
            {"role": "user", "content": "Write a poem."},
            {"role": "assistant", "content": None},
            {"role": "user", "content": "Now shorter."},
        ],
        2,
        True,
        ["81/2"],
        ["turn-2", "writing"],
    )
    assert store.sql("select author, text from prompt_references").rows() == [("mt-bench", "Roses.")]


@pytest.mark.usefixtures("questions")
def test_an_answer_to_the_second_turn_points_to_the_answer_before(run_import, store):
    assert run_import("mt-bench-answers", [ANSWER]).accepted == 1

    assert store.sql(
        "select later.text, earlier.text, later.external_id, earlier.external_id from v_responses as later "
        "join v_responses as earlier on earlier.response_id = later.previous_response_id"
    ).rows() == [("A poem.", "A long poem.", "a1/0/2", "a1/0/1")]


@pytest.mark.usefixtures("questions")
def test_choices_are_samples_of_one_model(run_import, store):
    run_import("mt-bench-answers", [{**ANSWER, "choices": [{"turns": ["Same."]}, {"turns": ["Same."]}]}])

    assert store.sql("select sample_index, text from v_responses order by 1").rows() == [(0, "Same."), (1, "Same.")]


@pytest.mark.usefixtures("questions")
def test_an_answer_without_an_id_has_none(run_import, store):
    run_import("mt-bench-answers", [{**ANSWER, "answer_id": None}])

    assert store.sql("select distinct external_id from v_responses").rows() == [(None,)]


@pytest.mark.parametrize(("format_name", "row"), [("mt-bench-answers", ANSWER), ("mt-bench-judgments", judgment(1))])
def test_what_is_said_of_a_question_not_in_the_store_is_refused_with_the_way_out(run_import, format_name, row):
    report = run_import(format_name, [row])

    assert report.failed == {"unknown_prompt": 1}
    assert report.first_refusals[0].endswith(
        "rows.jsonl:1: question 81/1 of 'mt_bench' is not in the store; import the questions (mt-bench-questions) first"
    )


@pytest.mark.usefixtures("questions")
def test_a_judgment_is_of_the_answer_that_its_prompt_shows(run_import, store):
    run_import("mt-bench-answers", [ANSWER])

    report = run_import("mt-bench-judgments", [judgment(1), judgment(2, score=5)])

    assert report.accepted == 2
    assert store.sql("select * from v_shown_responses").is_empty()
    assert store.sql(
        "select text, value, judge, rubric, scale_min, scale_max, parser from v_scores "
        "join v_responses using (response_id) order by value"
    ).rows() == [
        ("A poem.", 5.0, "gpt-4", "mt-bench/single-v1-multi-turn", 1.0, 10.0, "fastchat"),
        ("A long poem.", 8.0, "gpt-4", "mt-bench/single-v1", 1.0, 10.0, "fastchat"),
    ]


@pytest.mark.usefixtures("questions")
def test_an_answer_that_only_a_judgment_shows_is_no_material_until_it_is_imported(run_import, store):
    run_import("mt-bench-judgments", [judgment(2)])
    assert store.sql("select text from v_shown_responses order by text").to_series().to_list() == [
        "A long poem.",
        "A poem.",
    ]
    assert store.sql("select * from v_responses").is_empty()

    run_import("mt-bench-answers", [ANSWER])
    assert store.sql("select * from v_shown_responses").is_empty()
    assert store.sql("select text from v_responses join v_scores using (response_id)").item() == "A poem."


@pytest.mark.usefixtures("questions")
def test_minus_one_and_nothing_are_no_scores(run_import, store):
    nothing = (-1, -1.0, None, "", "-1")

    rows = [judgment(1, score=score, judgment=f"$ERROR$ {position}") for position, score in enumerate(nothing)]

    assert run_import("mt-bench-judgments", rows).accepted == len(nothing)
    assert store.sql("select value, reason from v_scores").rows() == [(None, "not_parsed")] * len(nothing)
    assert store.sql("select min(raw) from v_judgements").item() == "$ERROR$ 0"


BROKEN_JUDGMENTS = (
    ({"turn": 3}, "out_of_range"),
    ({"turn": None}, "out_of_range"),
    ({"score": float("nan")}, "wrong_type"),
    ({"score": [8]}, "wrong_type"),
    ({"judge": "gpt-4"}, "wrong_type"),
    ({"user_prompt": "Judge the answer."}, "no_answer"),
    ({"turn": 2}, "no_answer"),  # the prompt shows one answer only
    ({"question_id": 82}, "unknown_prompt"),
    ({"question_id": None}, "wrong_type"),
    ({"model": ""}, "empty_field"),
)


@pytest.mark.usefixtures("questions")
def test_a_broken_judgment_is_a_counted_failure_with_its_line(run_import, store):
    report = run_import("mt-bench-judgments", [judgment(1, **fields) for fields, _ in BROKEN_JUDGMENTS])

    assert report.failed.total() == report.rows == len(BROKEN_JUDGMENTS)
    assert refusals(store) == [(line, reason) for line, (_, reason) in enumerate(BROKEN_JUDGMENTS, 1)]
    assert "rows.jsonl:1: turn 3 is neither 1 nor 2" in report.first_refusals[0]
    assert store.sql("select * from v_scores").is_empty()


BROKEN_CHOICES = (
    ([], "empty_field"),
    ("text", "wrong_type"),
    ([{"index": 0}], "missing_field"),
    ([{"turns": []}], "wrong_type"),
    ([{"turns": ["a", None]}], "wrong_type"),
    ([{"turns": ["a", "b", "c"]}], "unknown_prompt"),
)


@pytest.mark.usefixtures("questions")
def test_broken_choices_are_a_counted_failure_with_its_line(run_import, store):
    run_import("mt-bench-answers", [{**ANSWER, "choices": choices} for choices, _ in BROKEN_CHOICES])

    assert refusals(store) == [(line, reason) for line, (_, reason) in enumerate(BROKEN_CHOICES, 1)]
    assert store.sql("select * from v_responses").is_empty()


def test_a_question_with_an_empty_turn_is_a_counted_failure(run_import):
    assert run_import("mt-bench-questions", [{**QUESTION, "turns": ["Write.", " "]}]).failed == {"bad_content": 1}
