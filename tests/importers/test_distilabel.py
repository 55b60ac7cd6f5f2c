def row(**fields):
    told = {
        "instruction": "Name a river.",
        "generations": ["The Po.", "No."],
        "generation_models": ["m", "n"],
        "ratings": [5, 1],
        "rationales": ["Good.", "Bad."],
        "model_name": "gpt-4",
    }
    return {**told, **fields}


def pair(**fields):
    told = {"instruction": "Name a river.", "chosen": "The Po.", "rejected": "No."}
    ratings = {"chosen_model": "m", "rejected_model": "n", "chosen_rating": 5.0, "rejected_rating": None}
    return {**told, **ratings, **fields}


def test_each_generation_is_an_answer_with_its_rating_and_rationale(run_import, store):
    assert run_import("distilabel", [row()]).accepted == 1

    assert store.sql(
        "select v_scores.source, text, value, judge, judge_kind, rubric, raw from v_scores "
        "join v_responses using (response_id) "
        "join v_judgements using (judgement_id, judge, judge_kind, rubric) order by 1"
    ).rows() == [
        ("m", "The Po.", 5.0, "gpt-4", "model", "distilabel", "Good."),
        ("n", "No.", 1.0, "gpt-4", "model", "distilabel", "Bad."),
    ]


def test_a_missing_rating_is_null_with_a_reason_and_the_others_stand(run_import, store):
    run_import("distilabel", [row(ratings=[None, "4"]), row(instruction="q", ratings=["N/A", "none"])], judge="j")

    assert store.sql("select value, reason from v_scores order by all").rows() == [
        (4.0, None),
        (None, "no_score"),
        (None, "not_applicable"),
        (None, "not_parsed"),
    ]


def test_a_generation_that_failed_is_an_empty_answer_and_its_rating_no_number(run_import, store):
    run_import("distilabel", [row(generations=[None, "No."])])

    assert store.sql(
        "select text, is_empty, finish_reason, value, v_scores.reason from v_responses "
        "join v_scores using (response_id) order by text"
    ).rows() == [("", True, "no_generation", None, "no_generation"), ("No.", False, None, 1.0, None)]


def test_one_model_that_generated_twice_gives_two_samples(run_import, store):
    run_import("distilabel", [row(generations=["Same.", "Same."], generation_models=["m", "m"])])

    assert store.sql("select source, sample_index from v_responses order by 2").rows() == [("m", 0), ("m", 1)]


def test_chat_turns_and_a_system_prompt_are_part_of_the_prompt(run_import, store):
    turns = [
        {"role": "user", "content": "Hi."},
        {"role": "assistant", "content": "Hi?"},
        {"role": "user", "content": "q"},
    ]

    run_import("distilabel", [row(instruction=None, messages=turns), row(system_prompt="Be short.")])

    assert store.sql("select messages from v_prompts order by n_turns desc").to_series().to_list() == [
        turns,
        [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Name a river."}],
    ]


def test_generations_without_models_belong_to_the_data_set_s_name(run_import, store):
    run_import("distilabel", [row(generation_models=None, ratings=None)], dataset="mine")

    assert store.sql("select source, sample_index from v_responses order by 2").rows() == [("mine", 0), ("mine", 1)]
    assert store.sql("select * from v_scores").is_empty()


def test_a_binarised_row_is_a_pair_with_both_ratings(run_import, store):
    run_import("distilabel", [pair()], judge="gpt-4")

    assert store.sql("select source_a, source_b, preference, judge from v_preferences").rows() == [
        ("m", "n", 1.0, "gpt-4")
    ]
    assert store.sql("select source, value, reason from v_scores order by 1").rows() == [
        ("m", 5.0, None),
        ("n", None, "no_score"),
    ]


def test_a_binarised_row_may_hold_conversations(run_import, store):
    asked = {"role": "user", "content": "Name a river."}
    sides = {side: [asked, {"role": "assistant", "content": side}] for side in ("chosen", "rejected")}

    run_import("distilabel", [pair(), pair(**sides)])

    assert store.sql("select count(*) from v_prompts").item() == 1
    assert store.sql("select count(*) from v_preferences").item() == 2


def test_a_row_with_generations_does_not_count_its_own_pair_again(run_import, store):
    run_import("distilabel", [{**pair(), **row()}])

    assert store.sql("select count(*) from v_scores").item() == 2
    assert store.sql("select * from v_preferences").is_empty()


def test_a_binarised_row_of_equal_sides_is_skipped(run_import):
    assert run_import("distilabel", [pair(rejected="The Po.\n")]).skipped == {"equal_sides": 1}


BROKEN = (
    (row(ratings=[5]), "unequal_lengths"),
    (row(generation_models=["m", "n", "o"]), "unequal_lengths"),
    (row(rationales=[]), "unequal_lengths"),
    (row(ratings="5, 1"), "wrong_type"),
    (row(ratings=[5, {}]), "wrong_type"),
    (row(generations=[["a"], "b"]), "wrong_type"),
    (row(generations=[]), "wrong_type"),
    (row(generation_models=["m", None]), "wrong_type"),
    (row(rationales=[{}, "b"]), "wrong_type"),
    (row(model_name=None), "unknown_judge"),
    (row(instruction=None), "wrong_type"),
    (pair(rejected=None), "wrong_type"),
    ({"instruction": "q", "generation": "a"}, "missing_field"),
)


def test_a_broken_row_adds_nothing_and_is_counted_with_its_line(run_import, store):
    report = run_import("distilabel", [broken for broken, _ in BROKEN])

    assert report.failed.total() == report.rows == len(BROKEN)
    assert store.sql("select line, reason from v_refusals order by line").rows() == [
        (line, reason) for line, (_, reason) in enumerate(BROKEN, 1)
    ]
    assert "field 'ratings' has 1 items for 2 answers" in report.first_refusals[0]
    assert store.sql("select * from v_responses").is_empty()
