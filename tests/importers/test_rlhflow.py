def row(**fields):
    return {
        "prompt": "Name a river.",
        "responses": ["The Po.", "Po", "The Po."],
        "rewards": [1.5, "-2", None],
        **fields,
    }


def test_responses_are_samples_of_one_policy_with_their_rewards(run_import, store):
    assert run_import("rlhflow", [row()]).accepted == 1

    assert store.sql(
        "select v_responses.source, v_responses.sample_index, text, value, reason, judge, rubric from v_scores "
        "join v_responses using (response_id) order by 2"
    ).rows() == [
        ("rlhflow", 0, "The Po.", 1.5, None, "rlhflow", "rlhflow"),
        ("rlhflow", 1, "Po", -2.0, None, "rlhflow", "rlhflow"),
        ("rlhflow", 2, "The Po.", None, "no_score", "rlhflow", "rlhflow"),
    ]


def test_flags_name_policy_judge_and_data_set(run_import, store):
    run_import("rlhflow", [row()], family="p", version="1", size=8.0, judge="rm", dataset="iter-1")

    assert store.sql("select distinct source, judge, rubric from v_scores").rows() == [("p/1/8", "rm", "iter-1")]


def test_a_row_may_name_its_policy_and_ask_in_turns(run_import, store):
    turns = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Name a river."}]

    run_import("rlhflow", [row(prompt=turns, model="policy-3")])

    assert store.sql("select distinct source from v_responses").item() == "policy-3"
    assert store.sql("select messages from v_prompts").item().to_list() == turns


def test_answers_without_rewards_are_answers_alone(run_import, store):
    run_import("rlhflow", [row(rewards=None)])

    assert store.sql("select count(*) from v_responses").item() == 3
    assert store.sql("select * from v_scores").is_empty()


BROKEN = (
    ({"rewards": [1, 2]}, "unequal_lengths"),
    ({"rewards": 1}, "wrong_type"),
    ({"rewards": [1, 2, [3]]}, "wrong_type"),
    ({"responses": ["a", None, "b"]}, "wrong_type"),
    ({"responses": []}, "wrong_type"),
    ({"prompt": [{"role": "assistant", "content": "a"}]}, "bad_content"),
    ({"prompt": " "}, "empty_field"),
)


def test_a_broken_row_adds_nothing_and_is_counted_with_its_line(run_import, store):
    report = run_import("rlhflow", [row(**fields) for fields, _ in BROKEN])

    assert report.failed.total() == report.rows == len(BROKEN)
    assert store.sql("select line, reason from v_refusals order by line").rows() == [
        (line, reason) for line, (_, reason) in enumerate(BROKEN, 1)
    ]
    assert "field 'rewards' has 2 items for 3 answers" in report.first_refusals[0]
    assert store.sql("select * from v_responses").is_empty()
