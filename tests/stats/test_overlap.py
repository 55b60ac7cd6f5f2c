"""Evaluation files found in the store."""

import json

import pytest

from tsodata.errors import ImportRefusedError, UsageError
from tsodata.stats.overlap import read_texts

from .conftest import PROMPTS, Figures, row

LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"


def against(store, path, **asked):
    return Figures(store, sections=("duplicates",), against=(path,), **asked)


def write(tmp_path, *rows):
    path = tmp_path / "evaluation.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return path


def test_a_short_prompt_counts_as_a_whole_and_a_long_one_by_thirteen_words(store, run_import, tmp_path):
    run_import(
        "records",
        [
            row("Is WATER wet", "big", "a"),
            row("Is water wet in general?", "big", "b"),
            row(f"{LONG} fifteen", "big", "c"),
            row(LONG.replace("seven", "7"), "big", "d"),  # no 13 words in a row
            row("other", "big", f"As they say: {LONG.title()}!"),
        ],
    )
    path = write(tmp_path, {"instruction": PROMPTS["q1"]}, {"instruction": f"zero {LONG}"})
    figures = against(store, path)
    found = figures("duplicates", "prompts in it")
    rows = store.sql(found.sql).filter("in_prompt")

    assert (found.value, found.n, found.verdict, found.interval) == (0.4, 5, "look", None)
    assert set(rows["text"]) == {"Is WATER wet", f"{LONG} fifteen"}
    answers = figures("duplicates", "prompts whose answers are in it")
    assert store.sql(answers.sql).filter("in_answers")["text"].to_list() == ["other"]


def test_a_file_that_shares_nothing_is_fine(tiny_once, tmp_path):
    found = against(tiny_once, write(tmp_path, {"question": "What is love?"}))("duplicates", "prompts in it")

    assert (found.value, found.verdict, found.subject) == (0, "fine", {"file": "evaluation.jsonl"})


def test_fields_are_found_by_their_usual_names_or_told(tmp_path):
    path = write(tmp_path, {"turns": ["first", {"content": "second"}], "text": "x"}, {"prompt": "third"})

    assert read_texts(path) == ["first", "second", "third"]
    assert read_texts(write(tmp_path, {"a": "1", "b": "2"}), ("b", "a")) == ["2", "1"]


def test_a_row_without_text_and_a_broken_line_are_refused_with_their_place(tmp_path):
    with pytest.raises(UsageError, match=r"evaluation.jsonl:2: no text in one of instruction, .*found id\. Pass"):
        read_texts(write(tmp_path, {"text": "x"}, {"id": 1}))
    path = tmp_path / "broken.jsonl"
    path.write_text('{"text": "x"}\n{"text"\n')
    with pytest.raises(ImportRefusedError, match=r"broken.jsonl:2: not valid JSON"):
        read_texts(path)
