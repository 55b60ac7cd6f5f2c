import pytest

from tsodata.importers.hh_rlhf import dialogue

FIRST = "\n\nHuman: Name a river.\n\nAssistant: "
LATER = FIRST + "Which land?\n\nHuman: Italy.\n\nAssistant: "


def pair(chosen, rejected, *, before=FIRST):
    return {"chosen": before + chosen, "rejected": before + rejected}


def test_the_prompt_is_every_turn_before_the_last_answer(run_import, store):
    report = run_import("hh-rlhf", [pair("The Po.", "No.", before=LATER)])

    assert report.accepted == 1
    assert store.sql("select messages, n_turns, own_turns, dataset from v_prompts").rows() == [
        (
            [
                {"role": "user", "content": "Name a river."},
                {"role": "assistant", "content": "Which land?"},
                {"role": "user", "content": "Italy."},
            ],
            2,
            False,
            "hh-rlhf",
        )
    ]


def test_people_prefer_the_chosen_answer_and_nobody_is_made_up(run_import, store):
    run_import("hh-rlhf", [pair("The Po.", "No.")])

    assert store.sql(
        "select a.text, b.text, source_a, source_b, judge, judge_kind, rubric, preference, is_hard, "
        "judgement_id from v_preferences "
        "join v_responses as a on a.response_id = response_a join v_responses as b on b.response_id = response_b"
    ).rows() == [("The Po.", "No.", "hh-rlhf", "hh-rlhf", "hh-rlhf", "human", "hh-rlhf", 1.0, True, None)]


def test_an_answer_that_wins_in_one_row_and_loses_in_another_is_one_answer(run_import, store):
    run_import("hh-rlhf", [pair("Best.", "Middle."), pair("Middle.", "Worst.")])

    assert store.sql("select text, sample_index from v_responses order by text").rows() == [
        ("Best.", 0),
        ("Middle.", 0),
        ("Worst.", 0),
    ]
    assert store.sql("select count(*) from v_preferences").item() == 2


def test_flags_place_the_unnamed_model_in_a_cell(run_import, store):
    report = run_import("hh-rlhf", [pair("The Po.", "No.")], family="lab", version="1", size=52.0, judge="crowd")

    assert store.sql("select distinct source from v_responses").item() == "lab/1/52"
    assert store.sql("select judge from v_preferences").item() == "crowd"
    assert report.unplaced == set()


def test_without_flags_the_unnamed_model_is_told_as_unplaced(run_import):
    assert run_import("hh-rlhf", [pair("The Po.", "No.")]).unplaced == {"hh-rlhf"}


def test_two_dialogues_with_the_same_first_turn_are_two_prompts(run_import, store):
    run_import("hh-rlhf", [pair("The Po.", "No."), pair("The Po.", "No.", before=LATER)])

    assert store.sql("select count(*) from v_prompts").item() == 2


def test_words_are_stored_untouched_but_for_the_blank_of_the_marker(run_import, store):
    run_import("hh-rlhf", [pair(" The Po. \n", "", before="\n\nHuman:  Name\n\na river.\n\nAssistant:")])

    assert store.sql("select text from v_prompts").item() == " Name\n\na river."
    assert store.sql("select text, is_empty from v_responses order by text").rows() == [
        ("", True),
        ("The Po. \n", False),
    ]


def test_equal_sides_are_skipped_also_where_only_blanks_differ(run_import, store):
    report = run_import("hh-rlhf", [pair("The Po.", "The Po."), pair("The Po.", "The Po.\n")])

    assert report.skipped == {"equal_sides": 2}
    assert store.sql("select * from v_responses").is_empty()


BROKEN = (
    ({"chosen": FIRST + "a", "rejected": LATER + "b"}, "unequal_prompts"),
    ({"chosen": FIRST + "a", "rejected": "\n\nHuman: Name a lake.\n\nAssistant: b"}, "unequal_prompts"),
    ({"chosen": FIRST + "a", "rejected": FIRST + "b\n\nHuman: and?"}, "no_answer"),
    ({"chosen": "The Po.", "rejected": FIRST + "b"}, "bad_content"),
    ({"chosen": "Hi" + FIRST + "a", "rejected": "Hi" + FIRST + "b"}, "bad_content"),
    ({"chosen": "\n\nAssistant: a", "rejected": "\n\nAssistant: b"}, "bad_content"),  # nobody asked
    (pair("a", "b", before="\n\nHuman: \n\nAssistant: "), "bad_content"),  # an empty question
    ({"chosen": FIRST + "a"}, "missing_field"),
    ({"chosen": FIRST + "a", "rejected": None}, "wrong_type"),
    ({"chosen": FIRST + "a", "rejected": " "}, "empty_field"),
)


def test_a_broken_row_is_a_counted_failure_with_its_line(run_import, store):
    report = run_import("hh-rlhf", [row for row, _ in BROKEN])

    assert report.failed.total() == report.rows == len(BROKEN)
    assert store.sql("select line, reason from v_refusals order by line").rows() == [
        (line, reason) for line, (_, reason) in enumerate(BROKEN, 1)
    ]
    assert "rows.jsonl:1: the two dialogues differ before their last answer" in report.first_refusals[0]
    assert store.sql("select * from v_prompts").is_empty()


@pytest.mark.parametrize("words", ["\n\nHuman: q\n\nAssistant: a", "\n\nHuman:q\n\nAssistant:a"])
def test_a_marker_may_have_a_blank_behind_it(words):
    assert [turn["content"] for turn in dialogue(words, "chosen")] == ["q", "a"]
