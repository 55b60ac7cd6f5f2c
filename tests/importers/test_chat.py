import json

USER = {"role": "user", "content": "Hello?"}
SYSTEM = {"role": "system", "content": "Be brief."}
ASSISTANT = {"role": "assistant", "content": "Hi."}
BROKEN = (
    ({}, "missing_field"),
    ({"messages": "[not json"}, "wrong_type"),
    ({"messages": [USER]}, "no_answer"),
    ({"messages": [ASSISTANT]}, "no_answer"),
    ({"messages": []}, "no_answer"),
    ({"messages": [USER, {"role": "assistant", "content": None}]}, "wrong_type"),
    ({"messages": ["Hello?", "Hi."]}, "wrong_type"),
    ({"messages": [{"role": "tool", "content": "x"}, ASSISTANT]}, "bad_content"),
    ({"messages": [USER, SYSTEM, USER, ASSISTANT]}, "bad_content"),
    ({"messages": [{"role": "user", "content": " "}, ASSISTANT]}, "bad_content"),
    ({"messages": [USER, ASSISTANT, ASSISTANT]}, "bad_content"),
)


def test_the_last_turn_is_the_answer_and_the_turns_before_are_the_prompt(run_import, store):
    report = run_import(
        "chat", [{"messages": [SYSTEM, USER, ASSISTANT, USER, {**ASSISTANT, "content": "Yes."}], "model": "m"}]
    )

    assert report.accepted == 1
    assert store.sql("select messages, n_turns, own_turns from v_prompts").rows() == [
        ([SYSTEM, USER, ASSISTANT, USER], 2, False)
    ]
    assert store.sql("select source, text from v_responses").rows() == [("m", "Yes.")]


def test_the_same_question_as_chat_and_as_a_record_is_one_prompt(run_import, store):
    run_import("chat", [{"messages": [USER, ASSISTANT], "model": "m"}])
    run_import("chat", [{"messages": [SYSTEM, USER, ASSISTANT], "model": "m"}])
    run_import("records", [{"prompt": "Hello?"}, {"prompt": "Hello?", "system": "Be brief."}])

    assert store.sql("select count(*) from v_prompts").item() == 2


def test_who_answered_comes_from_the_row_from_flags_or_is_people(run_import, store):
    rows = [{"messages": [USER, ASSISTANT]}]

    assert run_import("chat", rows).failed == {"unknown_model": 1}
    run_import("chat", rows, family="f", version="v", size=7.0)
    run_import("chat", rows, human="staff")
    run_import("chat", [{**rows[0], "who": "m"}], mapping={"model": "who"})

    assert set(store.sql("select source from v_responses").to_series()) == {"f/v/7", "human:staff", "m"}


def test_messages_in_csv_are_json(run_import, store, tmp_path):
    path = tmp_path / "chat.csv"
    quoted = json.dumps([USER, ASSISTANT]).replace('"', '""')
    path.write_text(f'model,messages\nm,"{quoted}"\n')

    assert run_import("chat", path).accepted == 1
    assert store.sql("select text from v_responses").item() == "Hi."


def test_a_broken_conversation_is_a_counted_failure_with_its_line(run_import, store):
    report = run_import("chat", [{"model": "m", **fields} for fields, _ in BROKEN])

    assert report.failed.total() == report.rows == len(BROKEN)
    assert store.sql("select line, reason from v_refusals order by line").rows() == [
        (line, reason) for line, (_, reason) in enumerate(BROKEN, 1)
    ]
    assert "rows.jsonl:1: no field 'messages'; found 'model'" in report.first_refusals[0]
    assert store.sql("select * from v_responses").is_empty()
