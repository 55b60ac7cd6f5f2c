import pytest

QUESTION = {
    "question_id": "q1",
    "category": "arena-hard-v0.1",
    "cluster": "Rivers",
    "turns": [{"content": "Name a river."}],
}
QUESTION_2 = {"uid": "q1", "category": "arena-hard-v0.1", "cluster": "Rivers", "prompt": "Name a river."}


def answer(model, words, n_tokens=3):
    turn = {"content": words, "token_len": n_tokens}
    told = {"question_id": "q1", "answer_id": f"id-{model}", "model_id": model, "tstamp": 1.5}
    return {**told, "choices": [{"index": 0, "turns": [turn]}]}


def answer_2(model, words):
    turns = [{"role": "user", "content": "Name a river."}, {"role": "assistant", "content": {"answer": words}}]
    return {"uid": "q1", "ans_id": f"id-{model}", "model": model, "messages": turns, "metadata": {"token_len": 3}}


def shown(a, b):
    return (
        f"<|User Prompt|>\nName a river.\n\n<|The Start of Assistant A's Answer|>\n{a}\n"
        f"<|The End of Assistant A's Answer|>\n\n<|The Start of Assistant B's Answer|>\n{b}\n"
        "<|The End of Assistant B's Answer|>"
    )


def game(a, b, score):
    return {"user_prompt": shown(a, b), "judgment": f"\nHence [[{score}]].", "score": score}


def judgment(first, second, **fields):
    games = [game("The Rhine.", "The Po.", first), game("The Po.", "The Rhine.", second)]
    return {"question_id": "q1", "model": "m", "judge": "judge-x", "games": games, **fields}


@pytest.fixture
def baseline(run_import):
    run_import("arena-hard-questions", [QUESTION])
    return run_import("arena-hard-answers", [answer("base", "The Rhine.")])


def refusals(store):
    return store.sql("select line, reason from v_refusals order by line").rows()


def test_a_question_is_the_same_prompt_in_both_schemas(run_import, store):
    assert run_import("arena-hard-questions", [QUESTION]).accepted == 1
    assert run_import("arena-hard-questions", [QUESTION_2]).present == 1

    assert store.sql("select text, dataset, external_ids, tags from v_prompts").rows() == [
        ("Name a river.", "arena_hard", ["q1"], ["Rivers", "arena-hard-v0.1", "arena_hard"])
    ]


def test_an_answer_is_the_same_in_both_schemas(run_import, store):
    run_import("arena-hard-questions", [QUESTION])
    assert run_import("arena-hard-answers", [answer("m", "The Po.\n")]).accepted == 1
    assert run_import("arena-hard-answers", [answer_2("m", "The Po.\n")]).present == 1

    assert store.sql("select source, text, settings, external_id from v_responses").rows() == [
        ("m", "The Po.\n", '{"token_len":3}', "id-m/0")
    ]


def test_choices_are_samples_of_one_model(run_import, store):
    run_import("arena-hard-questions", [QUESTION])
    row = answer("m", "Same.")

    run_import("arena-hard-answers", [{**row, "choices": row["choices"] * 2}])

    assert store.sql("select sample_index, text from v_responses order by 1").rows() == [(0, "Same."), (1, "Same.")]


LEVELS = (("A>>B", 1.0), ("A>B", 0.75), ("A=B", 0.5), ("B>A", 0.25), ("B>>A", 0.0))


@pytest.mark.usefixtures("baseline")
@pytest.mark.parametrize(("label", "value"), LEVELS)
def test_five_verdicts_are_five_numbers_for_the_answer_shown_first(run_import, store, label, value):
    run_import("arena-hard-judgments", [judgment(label, "A=B")])

    assert store.sql(
        "select source_a, source_b, preference, is_hard, judge, judge_kind, rubric, raw from v_preferences "
        "join v_judgements using (judgement_id, judge, judge_kind, rubric) where source_a = 'base'"
    ).rows() == [("base", "m", value, False, "judge-x", "model", "arena-hard", f"\nHence [[{label}]].")]


@pytest.mark.usefixtures("baseline")
def test_the_second_game_shows_the_model_first(run_import, store):
    run_import("arena-hard-judgments", [judgment("A>>B", "A>B")])

    assert store.sql("select source_a, source_b, preference from v_preferences order by preference").rows() == [
        ("m", "base", 0.75),
        ("base", "m", 1.0),
    ]


@pytest.mark.usefixtures("baseline")
def test_the_win_rate_counts_a_clear_verdict_three_times_and_a_tie_half(run_import, store):
    run_import("arena-hard-judgments", [judgment("A>>B", "A>B")])  # the model loses three votes and wins one

    (row,) = store.query("arena-hard-win-rate", baseline="base").to_dicts()

    assert (row["model"], row["win_rate"], row["n_votes"], row["n_verdicts"]) == ("m", 25.0, 4, 2)


@pytest.mark.usefixtures("baseline")
def test_a_game_without_a_verdict_is_null_and_the_other_game_still_counts(run_import, store):
    run_import("arena-hard-judgments", [judgment(None, "A>B"), judgment("A<B", "A=B", judge="judge-y")])

    assert store.sql("select judge, preference, reason from v_preferences order by all").rows() == [
        ("judge-x", 0.75, None),
        ("judge-x", None, "not_parsed"),
        ("judge-y", 0.5, None),
        ("judge-y", None, "unknown_verdict"),
    ]


@pytest.mark.usefixtures("baseline")
def test_the_baseline_is_the_model_whose_stored_answer_is_shown(run_import, store):
    run_import("arena-hard-answers", [answer("other", "The Elbe.")])

    run_import("arena-hard-judgments", [judgment("A>B", "B>A")])

    assert store.sql("select distinct least(source_a, source_b) from v_preferences").item() == "base"
    assert store.sql("select source, text from v_shown_responses").rows() == [("m", "The Po.")]


def test_a_row_that_names_its_baseline_needs_no_stored_answer(run_import, store):
    run_import("arena-hard-questions", [QUESTION])
    games = [
        {
            "score": "A>B",
            "judgment": {"answer": "[[A>B]]"},
            "prompt": [
                {"role": "system", "content": "Judge."},
                {"role": "user", "content": shown("The Rhine.", "The Po.")},
            ],
        }
    ]
    row = {"uid": "q1", "category": "hard_prompt", "judge": "j", "model": "m", "baseline": "o3-mini", "games": games}

    assert run_import("arena-hard-judgments", [row]).accepted == 1
    assert store.sql("select source_a, source_b, preference from v_preferences").rows() == [("o3-mini", "m", 0.75)]
    assert store.sql("select raw from v_judgements").item() == "[[A>B]]"


def test_a_baseline_that_nobody_names_is_never_guessed(run_import, store):
    run_import("arena-hard-questions", [QUESTION])

    report = run_import("arena-hard-judgments", [judgment("A>B", "B>A")])

    assert report.failed == {"unknown_baseline": 1}
    assert report.first_refusals[0].endswith(
        "no model in the store gave the answer shown first; import the baseline's answers (arena-hard-answers) first"
    )
    assert store.sql("select * from v_preferences").is_empty()


def test_an_answer_that_two_models_gave_does_not_tell_the_baseline(run_import):
    run_import("arena-hard-questions", [QUESTION])
    run_import("arena-hard-answers", [answer("base", "The Rhine."), answer("twin", "The Rhine.")])

    report = run_import("arena-hard-judgments", [judgment("A>B", "B>A")])

    assert report.failed == {"unknown_baseline": 1}
    assert "2 models gave the answer shown first" in report.first_refusals[0]


@pytest.mark.parametrize(
    ("format_name", "row"), [("arena-hard-answers", answer("m", "a")), ("arena-hard-judgments", judgment("A>B", "B>A"))]
)
def test_what_is_said_of_a_question_not_in_the_store_is_refused_with_the_way_out(run_import, format_name, row):
    report = run_import(format_name, [row])

    assert report.failed == {"unknown_prompt": 1}
    assert "import the questions (arena-hard-questions) first" in report.first_refusals[0]


SAME_ORDER = [game("The Rhine.", "The Po.", "A>B")] * 2
BROKEN_JUDGMENTS = (
    ({"games": []}, "empty_field"),
    ({"games": [None, None]}, "wrong_type"),
    ({"games": judgment("A>B", "B>A")["games"] * 2}, "out_of_range"),
    ({"games": SAME_ORDER}, "bad_content"),  # roles that were not swapped would count for the wrong model
    ({"games": [{"user_prompt": "Judge.", "judgment": "", "score": None}]}, "no_answer"),
    ({"games": [game(shown("x", "y"), "The Po.", "A>B")]}, "no_answer"),  # an answer that holds the markers
    ({"games": [{"user_prompt": shown("The Rhine.", "The Po."), "score": "A>B"}]}, "missing_field"),
    ({"games": [game("The Rhine.", "The Po.", {"x": 1})]}, "wrong_type"),
    ({"model": ""}, "empty_field"),
    ({"judge": None}, "wrong_type"),
    ({"model": "base"}, "unknown_baseline"),  # a baseline against itself
)


@pytest.mark.usefixtures("baseline")
def test_a_broken_judgment_is_a_counted_failure_with_its_line(run_import, store):
    report = run_import("arena-hard-judgments", [judgment("A>B", "B>A", **fields) for fields, _ in BROKEN_JUDGMENTS])

    assert report.failed.total() == report.rows == len(BROKEN_JUDGMENTS)
    assert refusals(store) == [(line, reason) for line, (_, reason) in enumerate(BROKEN_JUDGMENTS, 1)]
    assert store.sql("select * from v_preferences").is_empty()


BROKEN_ANSWERS = (
    ({"choices": []}, "empty_field"),
    ({"choices": [{"turns": [{"content": "a"}, {"content": "b"}]}]}, "out_of_range"),
    ({"choices": [{"turns": [{"content": None}]}]}, "wrong_type"),
    ({"choices": [{"turns": [{"content": "a", "token_len": "many"}]}]}, "wrong_type"),
    ({"model_id": None}, "wrong_type"),
    ({"uid": "q1", "model": "m", "messages": [{"role": "user", "content": "a"}]}, "no_answer"),
    ({"uid": "q1", "model": "m", "messages": [{"role": "assistant", "content": {"thought": "a"}}]}, "missing_field"),
)


@pytest.mark.usefixtures("baseline")
def test_a_broken_answer_is_a_counted_failure_with_its_line(run_import, store):
    run_import("arena-hard-answers", [{**answer("m", "a"), **fields} for fields, _ in BROKEN_ANSWERS])

    assert refusals(store) == [(line, reason) for line, (_, reason) in enumerate(BROKEN_ANSWERS, 1)]
    assert store.sql("select count(*) from v_responses").item() == 1


def test_a_question_of_two_turns_is_refused(run_import):
    row = {**QUESTION, "turns": [{"content": "a"}, {"content": "b"}]}

    assert run_import("arena-hard-questions", [row]).failed == {"out_of_range": 1}
