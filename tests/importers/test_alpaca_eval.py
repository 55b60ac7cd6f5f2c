from tsodata.store import Store

QUESTION = {"instruction": "Name a river.", "dataset": "koala"}
VERDICT = {
    **QUESTION,
    "output_1": "The Rhine.",
    "generator_1": "baseline",
    "output_2": "The Po.",
    "generator_2": "m",
    "annotator": "judge-x",
    "preference": 2,
}


def output(generator, text):
    return {**QUESTION, "output": text, "generator": generator}


def verdict(**fields):
    return {**VERDICT, **fields}


def test_an_output_is_a_prompt_of_its_data_set_and_a_response(run_import, store):
    report = run_import("alpaca-eval", [output("m", "The Po."), output("n", "")])

    assert report.accepted == 2
    assert store.sql("select text, dataset, tags from v_prompts").rows() == [
        ("Name a river.", "koala", ["alpaca_eval"])
    ]
    assert store.sql("select source, text, is_empty from v_responses order by source").rows() == [
        ("m", "The Po.", False),
        ("n", "", True),
    ]


def test_a_row_without_a_data_set_takes_the_name_given_for_the_file(run_import, store):
    run_import("alpaca-eval", [{"instruction": "q", "output": "a", "generator": "m"}], dataset="mine")

    assert store.sql("select dataset from v_prompts").item() == "mine"


PREFERENCES = (
    (1, 1.0, True),  # the first output
    (1.25, 0.75, False),  # AlpacaEval 2: how sure the judge is of the second
    (1.5, 0.5, True),  # a tie
    (0, 0.5, True),  # a tie, as AlpacaEval 1 writes it
    (2, 0.0, True),  # the second
)


def test_a_preference_tells_how_much_the_first_output_is_preferred(run_import, store):
    rows = [verdict(preference=given, annotator=f"judge-{n}") for n, (given, _, _) in enumerate(PREFERENCES)]

    run_import("alpaca-eval-annotations", rows)

    assert store.sql("select judge, preference, is_hard from v_preferences order by judge").rows() == [
        (f"judge-{n}", preference, is_hard) for n, (_, preference, is_hard) in enumerate(PREFERENCES)
    ]


def test_a_verdict_without_a_preference_is_kept_with_the_reason(run_import, store):
    report = run_import("alpaca-eval-annotations", [verdict(preference=None, raw_completion="I cannot say.")])

    assert report.accepted == 1
    assert store.sql("select preference, reason from v_preferences").rows() == [(None, "not_parsed")]
    assert store.sql("select raw from v_judgements").item() == "I cannot say."


def test_a_raw_completion_that_is_no_text_is_kept_as_json(run_import, store):
    run_import("alpaca-eval-annotations", [verdict(raw_completion={"logprobs": {"m": -0.5}})])

    assert store.sql("select raw from v_judgements").item() == '{"logprobs": {"m": -0.5}}'


BROKEN = (
    ({"preference": 2.5}, "out_of_range"),
    ({"preference": -1}, "out_of_range"),
    ({"preference": 0.5}, "out_of_range"),
    ({"preference": float("nan")}, "wrong_type"),
    ({"instruction": " "}, "empty_field"),
    ({"annotator": 7}, "wrong_type"),
    ({"output_1": None}, "wrong_type"),
    ({"generator_2": ""}, "empty_field"),
    ({"dataset": {"a": 1}}, "wrong_type"),
)


def test_a_broken_verdict_is_a_counted_failure_with_its_line(run_import, store):
    report = run_import("alpaca-eval-annotations", [verdict(**fields) for fields, _ in BROKEN])

    assert report.failed.total() == report.rows == len(BROKEN)
    assert store.sql("select line, reason from v_refusals order by line").rows() == [
        (line, reason) for line, (_, reason) in enumerate(BROKEN, 1)
    ]
    assert "rows.jsonl:1: preference 2.5 is neither 0 nor between 1 and 2" in report.first_refusals[0]
    assert store.sql("select * from v_preferences").is_empty()


def test_texts_that_only_a_verdict_shows_are_no_material_for_pairs(run_import, store):
    run_import("alpaca-eval", [output("m", "The Po.")])
    run_import("alpaca-eval-annotations", [verdict()])

    assert store.sql("select source, text from v_responses").rows() == [("m", "The Po.")]
    assert store.sql("select source, text from v_shown_responses").rows() == [("baseline", "The Rhine.")]


def test_annotations_before_outputs_leave_the_same_material_as_after(run_import, store):
    outputs = [output("m", "The Po."), output("baseline", "Something else.")]

    def imported(*steps):
        for step in steps:
            run_import(*step)
        with store.reader() as reader:
            return reader.snapshot().key

    first = imported(("alpaca-eval-annotations", [verdict()]), ("alpaca-eval", outputs))
    responses = store.sql("select response_id, text from v_responses order by all").rows()
    store.path.unlink()
    Store.open(store.path, create=True)
    second = imported(("alpaca-eval", outputs), ("alpaca-eval-annotations", [verdict()]))

    assert first == second
    assert store.sql("select response_id, text from v_responses order by all").rows() == responses
    assert store.sql("select source from v_shown_responses").to_series().to_list() == ["baseline"]
