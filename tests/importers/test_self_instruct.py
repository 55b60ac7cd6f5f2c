def task(**fields):
    instance = {"input": "", "output": "An answer."}
    return {"id": "task_0", "motivation_app": "Mail", "instruction": "Do it.", "instances": [instance], **fields}


def test_the_input_follows_the_instruction_after_an_empty_line(run_import, store):
    rows = [task(), task(id="task_1", instances=[{"input": "With this.", "output": "Done."}])]

    assert run_import("self-instruct", rows).accepted == 2
    assert store.sql("select text, dataset, external_ids, tags from v_prompts order by text").rows() == [
        ("Do it.", "selfinstruct", ["task_0"], ["Mail"]),
        ("Do it.\n\nWith this.", "selfinstruct", ["task_1"], ["Mail"]),
    ]


def test_the_answers_are_of_people_and_people_can_be_named(run_import, store):
    run_import("self-instruct", [task()])
    run_import("self-instruct", [task()], human="students")

    assert store.sql("select source_kind, source from v_responses order by source").rows() == [
        ("human", "human"),
        ("human", "human:students"),
    ]


def test_every_instance_of_a_task_is_a_prompt_of_its_own(run_import, store):
    report = run_import("self-instruct", [task(instances=[{"input": x, "output": x} for x in "ab"])])

    assert report.accepted == 1
    assert store.sql("select text from v_responses order by text").to_series().to_list() == ["a", "b"]


def test_a_prompt_that_alpaca_eval_brought_is_not_doubled(run_import, store):
    instruction = "Do it.\n\nWith this."
    run_import(
        "alpaca-eval", [{"instruction": instruction, "output": "a", "generator": "m", "dataset": "selfinstruct"}]
    )
    run_import("self-instruct", [task(instances=[{"input": "With this.", "output": "Done."}])])

    assert store.sql("select count(*) from v_prompts").item() == 1
    assert store.sql("select count(*) from v_responses").item() == 2


BROKEN = (
    ({"instances": []}, "empty_field"),
    ({"instances": {}}, "wrong_type"),
    ({"instances": ["text"]}, "wrong_type"),
    ({"instances": [{"input": ""}]}, "missing_field"),
    ({"instances": [{"input": "", "output": 1}]}, "wrong_type"),
    ({"instances": [{"input": [], "output": "a"}]}, "wrong_type"),
    ({"instruction": ""}, "empty_field"),
)


def test_a_broken_task_is_a_counted_failure_with_its_line(run_import, store):
    report = run_import("self-instruct", [task(**fields) for fields, _ in BROKEN])

    assert report.failed.total() == report.rows == len(BROKEN)
    assert store.sql("select line, reason from v_refusals order by line").rows() == [
        (line, reason) for line, (_, reason) in enumerate(BROKEN, 1)
    ]
    assert "rows.jsonl:1: field 'instances' is empty" in report.first_refusals[0]
    assert store.sql("select * from v_responses").is_empty()
