import pytest


def user(words):
    return {"role": "user", "content": words}


def assistant(words):
    return {"role": "assistant", "content": words}


ASKED = user("Name a river.")


def h4(chosen="The Po.", rejected="No.", *, before=(ASKED,), **fields):
    told = {
        "prompt": "Name a river.",
        "prompt_id": "abc",
        "chosen": [*before, assistant(chosen)],
        "rejected": [*before, assistant(rejected)],
        "messages": [*before, assistant(chosen)],
        "score_chosen": 8.5,
        "score_rejected": 3,
    }
    return {**told, **fields}


def trl(chosen, rejected, **fields):
    return {"chosen": chosen, "rejected": rejected, **fields}


def answers(store):
    return store.sql("select v_prompts.text, v_responses.text from v_responses join v_prompts using (prompt_id)").rows()


def refusals(store):
    return store.sql("select line, reason from v_refusals order by line").rows()


def test_a_row_of_h4_is_two_answers_with_scores_and_a_preference(run_import, store):
    assert run_import("h4-pairs", [h4()]).accepted == 1

    assert store.sql(
        "select text, value, judge, judge_kind, rubric, v_scores.source from v_scores "
        "join v_responses using (response_id) order by value"
    ).rows() == [
        ("No.", 3.0, "h4-pairs", "model", "h4-pairs", "h4-pairs"),
        ("The Po.", 8.5, "h4-pairs", "model", "h4-pairs", "h4-pairs"),
    ]
    assert store.sql(
        "select a.text, b.text, preference, is_hard, judge, judge_kind, rubric from v_preferences "
        "join v_responses as a on a.response_id = response_a join v_responses as b on b.response_id = response_b"
    ).rows() == [("The Po.", "No.", 1.0, True, "h4-pairs", "model", "h4-pairs")]
    assert store.sql("select external_ids from v_prompts").item().to_list() == ["abc"]


def test_the_data_set_s_name_is_the_judge_and_the_unnamed_model(run_import, store):
    run_import("h4-pairs", [h4()], dataset="zephyr")

    assert store.sql("select distinct source, judge, rubric from v_scores").rows() == [("zephyr", "zephyr", "zephyr")]


def test_rows_that_name_their_models_keep_them(run_import, store):
    run_import("h4-pairs", [h4(chosen_model="m", rejected_model="n")], judge="gpt-4")

    assert store.sql("select source_a, source_b, judge from v_preferences").rows() == [("m", "n", "gpt-4")]


def test_a_missing_score_is_null_with_a_reason_and_no_column_is_no_score(run_import, store):
    row = h4(score_chosen=None)
    del row["score_rejected"]

    run_import("h4-pairs", [row])

    assert store.sql("select value, reason from v_scores").rows() == [(None, "no_score")]


def test_two_conversations_with_the_same_first_turn_are_two_prompts(run_import, store):
    before = (user("Name a river."), assistant("Where?"), user("In Italy."))

    run_import("h4-pairs", [h4(), h4(before=before)])

    assert store.sql("select n_turns from v_prompts order by 1").rows() == [(1,), (2,)]


def test_equal_sides_are_skipped_also_where_only_blanks_differ(run_import, store):
    report = run_import("h4-pairs", [h4("Same.", "Same."), h4("Same.", " Same.\n")])

    assert report.skipped == {"equal_sides": 2}
    assert store.sql("select * from v_responses").is_empty()


BROKEN_H4 = (
    ({**h4(), "chosen": [user("Name a lake."), assistant("a")]}, "unequal_prompts"),
    (h4(prompt="Another row's question."), "unequal_prompts"),  # columns that slipped against each other
    ({**h4(), "chosen": [ASKED], "rejected": [ASKED]}, "no_answer"),
    ({**h4(), "chosen": "The Po."}, "wrong_type"),
    ({**h4(), "chosen": []}, "unequal_prompts"),
    ({**h4(), "chosen": [], "rejected": []}, "no_answer"),
    (h4(before=(assistant("Hello."),), prompt=None), "bad_content"),
    (h4(score_chosen=[8]), "wrong_type"),
    ({"prompt": "q", "chosen": [user("q"), assistant("a")]}, "missing_field"),
)


def test_a_broken_row_of_h4_adds_nothing_and_is_counted_with_its_line(run_import, store):
    report = run_import("h4-pairs", [row for row, _ in BROKEN_H4])

    assert report.failed.total() == report.rows == len(BROKEN_H4)
    assert refusals(store) == [(line, reason) for line, (_, reason) in enumerate(BROKEN_H4, 1)]
    assert store.sql("select * from v_prompts").is_empty()


SAME = (
    trl([assistant("The Po.")], [assistant("No.")], prompt=[ASKED]),
    trl([ASKED, assistant("The Po.")], [ASKED, assistant("No.")]),
    trl("The Po.", "No.", prompt="Name a river."),
)


def test_explicit_and_implicit_prompts_and_plain_texts_give_the_same_records(run_import, store):
    reports = [run_import("trl-pairs", [row]) for row in SAME]

    assert [(report.accepted, report.present) for report in reports] == [(1, 0), (0, 1), (0, 1)]
    assert sorted(answers(store)) == [("Name a river.", "No."), ("Name a river.", "The Po.")]
    assert store.sql("select count(*) from v_scores").item() == 0


@pytest.mark.parametrize(
    ("chosen", "rejected", "expected"),
    [
        ("The sky is blue.", "The sky is green.", ("The sky is", " blue.", " green.")),
        ("Is it? Yes.", "Is it? Yes. No.", ("Is it? Yes.", "", " No.")),
        ("It is black.", "It is blue.", ("It is bl", "ack.", "ue.")),  # as TRL cuts it
    ],
)
def test_the_implicit_prompt_of_two_texts_is_what_both_begin_with(run_import, store, chosen, rejected, expected):
    run_import("trl-pairs", [trl(chosen, rejected)])

    prompt, *sides = expected
    assert sorted(answers(store)) == sorted((prompt, side) for side in sides)


def test_a_text_beside_conversations_is_an_implicit_prompt_as_trl_takes_it(run_import):
    assert run_import("h4-pairs", [h4()], dataset="zephyr").accepted == 1
    assert run_import("trl-pairs", [h4()], dataset="zephyr").present == 1


def test_scores_of_a_trl_row_are_kept(run_import, store):
    run_import("trl-pairs", [{**SAME[0], "score_chosen": 2, "score_rejected": 1, "margin": 1}])

    assert store.sql("select value from v_scores order by 1").rows() == [(1.0,), (2.0,)]


def test_equal_sides_of_trl_rows_are_skipped(run_import):
    rows = [trl("Same.", "Same. "), trl("a", "a", prompt="q"), trl([ASKED, assistant("a")], [ASKED, assistant("a")])]

    assert run_import("trl-pairs", rows).skipped == {"equal_sides": 3}


BROKEN_TRL = (
    (trl([assistant("a")], [assistant("b")], prompt="Name a river."), "bad_content"),  # turns that nobody asked
    (trl("a", "b", prompt=[ASKED]), "wrong_type"),
    (trl("a", [assistant("b")]), "wrong_type"),
    (trl([ASKED, assistant("a")], [assistant("b")], prompt=[ASKED]), "several_turns"),
    (trl([ASKED], [assistant("b")], prompt=[ASKED]), "no_answer"),
    (trl([], [assistant("b")], prompt=[ASKED]), "no_answer"),
    (trl([assistant("a")], [assistant("b")], prompt=[ASKED, assistant("c")]), "bad_content"),
    (trl([ASKED, assistant("x"), user("y"), assistant("a")], [ASKED, assistant("b")]), "unequal_prompts"),
    (trl([assistant("a")], [assistant("b")]), "bad_content"),  # nobody asked
    (trl("Blue.", "Green."), "no_prompt"),
    (trl("\n\nHuman: q\n\nAssistant: a", "\n\nHuman: q\n\nAssistant: b"), "wrong_type"),
    (trl("a", None, prompt="q"), "wrong_type"),
    ({"prompt": "q", "completion": "a", "label": True}, "missing_field"),
    ({}, "missing_field"),
)


def test_a_broken_row_of_trl_adds_nothing_and_is_counted_with_its_line(run_import, store):
    report = run_import("trl-pairs", [row for row, _ in BROKEN_TRL])

    assert report.failed.total() == report.rows == len(BROKEN_TRL)
    assert refusals(store) == [(line, reason) for line, (_, reason) in enumerate(BROKEN_TRL, 1)]
    assert store.sql("select * from v_prompts").is_empty()
