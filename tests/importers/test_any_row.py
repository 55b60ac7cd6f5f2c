"""Every parser, thrown rows that a file might hold."""

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsodata.importers import FORMATS
from tsodata.importers.context import Answer, Context, Lookup, Named, Refused
from tsodata.naming import Naming
from tsodata.records import Prompt, Record, Rubric, Source

TURN_1 = "[The Start of Assistant's Answer]\nIt is.\n[The End of Assistant's Answer]"
GAME = (
    "<|User Prompt|>\nq\n\n<|The Start of Assistant A's Answer|>\na\n<|The End of Assistant A's Answer|>\n\n"
    "<|The Start of Assistant B's Answer|>\nb\n<|The End of Assistant B's Answer|>"
)
BASES = {
    "records": {
        "prompt": "q",
        "response": "a",
        "model": "m",
        "messages": None,
        "system": "s",
        "settings": {"temperature": 1},
        "family": None,
        "version": "1",
        "size": "7B",
        "human": None,
        "sample": 0,
        "seed": 1,
        "finish_reason": "stop",
        "score": 1,
        "judge": "j",
        "rubric": "r",
        "dimension": "d",
        "scale_min": 1,
        "scale_max": 5,
        "raw": "w",
        "reason": None,
        "judgements": None,
        "dataset": "d",
        "prompt_id": "1",
        "id": "2",
        "tags": ["x"],
    },
    "journal": {
        "task": "generate",
        "messages": '[{"role":"user","content":"q"}]',
        "prompt_key": f"{Prompt.of_user('q').prompt_key:016x}",
        "family": "f",
        "version": "1",
        "size": 7.0,
        "settings": '{"temperature":1.0}',
        "text": "a",
        "sample_index": 0,
        "seed": 1,
        "finish_reason": "stop",
        "previous_key": None,
        "call_key": "0000000000000001",
        "request_key": "0000000000000002",
        "engine": "e",
        "endpoint": None,
        "model": "m",
        "attempt": 1,
        "failure": None,
        "detail": None,
        "n_prompt_tokens": 1,
        "n_completion_tokens": 1,
        "seconds": 0.5,
        "served_model": "m",
        "prompt_sha256": "00",
    },
    "corrections": {
        "response_id": "r1-0000000000000001",
        "text_id": "t1-0000000000000002",
        "rubric_id": None,
        "rubric": "r",
        "scale_min": 1,
        "scale_max": 5,
        "dimension": "d",
        "score": 1,
        "reason": "w",
        "author": "ann",
        "author_kind": "human",
        "made_at": "2026-01-02T03:04:05",
    },
    "chat": {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}], "model": "m"},
    "alpaca-eval": {"instruction": "q", "output": "a", "generator": "m", "dataset": "d"},
    "alpaca-eval-annotations": {
        "instruction": "q",
        "output_1": "a",
        "generator_1": "m",
        "output_2": "b",
        "generator_2": "n",
        "annotator": "j",
        "preference": 1.5,
        "raw_completion": {"x": 1},
        "dataset": "d",
    },
    "self-instruct": {
        "id": "1",
        "instruction": "q",
        "instances": [{"input": "", "output": "a"}],
        "motivation_app": "x",
    },
    "tldr-samples": {"model_type": "sft-6b", "context": "q", "sample": "a", "ref_text": "h"},
    "qlora": {"question_id": 1, "text": "q", "category": "c", "prompt": "p", "generation": "a"},
    "qlora-ratings": {
        "question_id": 1,
        "answer1_id": "known",
        "answer2_id": "x",
        "score": [1, 2],
        "text": "w",
        "review_id": "r",
    },
    "mt-bench-questions": {"question_id": 1, "turns": ["q", "r"], "category": "c", "reference": ["a"]},
    "mt-bench-answers": {"question_id": 1, "model_id": "m", "answer_id": "x", "choices": [{"turns": ["a", "b"]}]},
    "mt-bench-judgments": {
        "question_id": 1,
        "model": "m",
        "judge": ["j", "single-v1"],
        "user_prompt": TURN_1,
        "judgment": "w",
        "score": 7,
        "turn": 1,
    },
    "arena-hard-questions": {"question_id": "1", "turns": [{"content": "q"}], "category": "c", "cluster": "s"},
    "arena-hard-answers": {
        "question_id": "1",
        "answer_id": "x",
        "model_id": "m",
        "choices": [{"turns": [{"content": "a", "token_len": 1}]}],
    },
    "arena-hard-judgments": {
        "uid": "1",
        "model": "m",
        "judge": "j",
        "baseline": "b",
        "games": [{"user_prompt": GAME, "judgment": "w", "score": "A>B"}],
    },
    "ultrafeedback": {
        "source": "s",
        "instruction": "q",
        "correct_answers": ["c"],
        "completions": [
            {
                "model": "m",
                "principle": "p",
                "custom_system_prompt": "s",
                "response": "a",
                "annotations": {"honesty": {"Rating": "5", "Rationale": "w", "Type": ["1"]}},
                "fine-grained_score": 1.5,
                "overall_score": 10,
                "critique": "w",
            }
        ],
    },
    "just-eval": {
        "id": 1,
        "input": "q",
        "output_cand": "a",
        "generator_cand": "x/m.json",
        "eval_config": {"gpt": "j"},
        "result": "w",
        "parsed_result": {"depth": {"reason": "w", "score": "5"}},
    },
    "tulu-preferences": {
        "id": "1.0",
        "instance_id": "1",
        "prompt": "q",
        "model_a": "m",
        "model_b": "n",
        "completion_a": "a",
        "completion_b": "b",
        "completion_a_is_acceptable": "yes",
        "completion_b_is_acceptable": "no",
        "preference": "tie",
        "comment": "w",
        "evaluator": "e",
    },
    "h4-pairs": {
        "prompt": "q",
        "prompt_id": "1",
        "chosen": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}],
        "rejected": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "b"}],
        "score_chosen": 2,
        "score_rejected": 1,
        "chosen_model": "m",
    },
    "trl-pairs": {"prompt": "q", "chosen": "a", "rejected": "b", "score_chosen": 2, "rejected_model": "m"},
    "distilabel": {
        "instruction": "q",
        "messages": None,
        "system_prompt": "s",
        "generations": ["a", None],
        "generation_models": ["m", "n"],
        "ratings": [1, None],
        "rationales": ["w", None],
        "model_name": "j",
        "chosen": "a",
        "rejected": "b",
        "chosen_rating": 1,
    },
    "argilla": {
        "id": "1",
        "fields": {"prompt": "q", "response_1": "a", "response_2": "b"},
        "metadata": {"model": "m"},
        "responses": {"rating_1": [{"value": 2, "user_id": "u"}], "best": [{"value": "response_1", "user_id": "u"}]},
        "suggestions": {"rating_1": {"value": 3, "agent": "j"}},
        "updated_at": "2024-11-22T14:00:00Z",
        "prompt": None,
        "response": None,
        "rating.responses": None,
    },
    "label-studio": {
        "id": 1,
        "data": {"prompt": "q", "response": "a"},
        "annotations": [
            {
                "id": 2,
                "completed_by": {"email": "e"},
                "updated_at": "2024-11-22T14:00:00Z",
                "result": [{"from_name": "r", "to_name": "t", "type": "rating", "value": {"rating": 2}}],
            }
        ],
        "predictions": [],
    },
    "rlhflow": {"prompt": "q", "responses": ["a", "b"], "rewards": [1, None], "model": "m", "id": "1"},
    "hh-rlhf": {"chosen": "\n\nHuman: q\n\nAssistant: a", "rejected": "\n\nHuman: q\n\nAssistant: b"},
}
_ONE = "0000000000000001"
JUDGED = {
    **{name: BASES["journal"][name] for name in ("call_key", "request_key", "engine", "model", "attempt", "settings")},
    "task": "judge",
    "prompt_key": _ONE,
    "response_key": _ONE,
    "failure": None,
    "judge": "j",
    "judgements": [
        {
            "response_key": _ONE,
            "other_key": None,
            "rubric_key": f"{Rubric('r', scale_min=1.0, scale_max=5.0).rubric_key:016x}",
            "rubric": '{"name":"r","kind":"pointwise","scale_min":1.0,"scale_max":5.0,"template":null}',
            "sample": 0,
            "raw": "Score: 4",
            "probe": None,
            "verdicts": [{"dimension": "logic", "value": 4.0, "is_hard": None, "reason": None, "parser": "p/1"}],
        }
    ],
}
ROWS = [*BASES.items(), ("journal", JUDGED)]  # journals hold rows of two kinds
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**31, 2**63, 2**64, 10**400, -1, 0, 1.5, math.nan, math.inf])
    | st.floats()
    | st.text(st.characters(), max_size=5)  # half surrogate pairs included
    | st.sampled_from(["", " ", "7B", "user", "[1]", "{}", '{"a": 1}', "nan", "true"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "turns", "output", "score", "judge", "sample"]), inner)
    ),
    max_leaves=5,
)


def context_of(path):
    known = Answer(response_key=2, prompt_key=1, source_key=Source.model("answer_gpt35").source_key)
    lookup = Lookup(prompts={("d", "1"): 1, ("d", "1/1"): 1, ("d", "1/2"): 3}, answers={"known": known})
    lookup.named[1] = Named(prompt_key=1, text_key=2, source_key=3)
    lookup.by_cell[1, Source.model("m").source_key] = [4]
    stem = "m-vs-gpt-3.5-gpt4-reviewer"
    return Context(path=path or Path(__file__), stem=stem, naming=Naming(), lookup=lookup, dataset="d")


def fits_its_columns(record):
    return all(
        (type(value) is not int or -(2**63) <= value < 2**64)
        and (type(value) is not float or math.isfinite(value))
        and (type(value) is not str or value.encode() is not None)
        for value in record.values()
    )


@pytest.mark.parametrize(("format_name", "base"), ROWS)
def test_the_row_that_the_others_are_made_from_is_accepted(format_name, base, tmp_path):
    assert list(FORMATS[format_name].parse(base, context_of(tmp_path)))


def test_every_format_has_a_row_that_the_others_are_made_from():
    assert set(BASES) == set(FORMATS)


def changed(data, value):
    """Return a value with one place in it, at any depth, replaced, removed or repeated."""
    if not isinstance(value, (dict, list)) or not value or data.draw(st.integers(0, 3)) == 0:
        return data.draw(VALUES)
    copy = value.copy()
    place = data.draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
    act = data.draw(st.sampled_from(["change", "change", "remove", "repeat"]))
    if act == "remove":
        del copy[place]
    elif act == "repeat" and isinstance(value, list):
        copy.append(copy[place])
    else:
        copy[place] = changed(data, value[place])
    return copy


def parsed(format_name, row, context):
    """Return the records of a row, none where it is refused; anything but a refusal or ValueError is a fault."""
    try:
        return list(FORMATS[format_name].parse(row, context))
    except (Refused, ValueError):
        return []


@pytest.mark.parametrize(("format_name", "base"), ROWS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_row_gives_records_that_can_be_stored_or_is_refused(format_name, base, data):
    row = dict(base)
    for _ in range(data.draw(st.integers(1, 3))):
        if row:
            row[data.draw(st.sampled_from(sorted(row)))] = data.draw(VALUES)
        place = data.draw(st.sampled_from(sorted(base)))
        row[place] = changed(data, row.get(place))
    context = context_of(None)

    records = parsed(format_name, row, context)
    named = FORMATS[format_name].names

    assert named is None or list(named(row)) is not None  # is read before the row is refused
    assert all(isinstance(record, Record) and fits_its_columns(record) for record in (*records, *context.sources))


@pytest.mark.parametrize("format_name", FORMATS)
@settings(max_examples=50, deadline=None)
@given(row=st.dictionaries(st.text(), VALUES, max_size=4))
def test_a_row_of_another_kind_is_refused(format_name, row):
    with pytest.raises((Refused, ValueError)):
        list(FORMATS[format_name].parse(row, context_of(None)))


def places(value, path=()):
    """Return the path of every text in a row."""
    if isinstance(value, str):
        return [path]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, item in inner for found in places(item, (*path, key))]


def with_text(value, path, text):
    """Return a row with another text in one place."""
    if not path:
        return text
    copy = value.copy()
    copy[path[0]] = with_text(value[path[0]], path[1:], text)
    return copy


HOSTILE = [
    "\0",
    "\ud800",
    "n" * 10_000,
    "\u202ex",
    "a\nb",
    "'; drop table prompts; --",
    "../../x",
    "=1+1",
    " ",
    "nan",
    "\u00b2",
]


@pytest.mark.parametrize("format_name", FORMATS)
def test_any_text_in_any_place_gives_records_that_can_be_stored_or_a_refusal(format_name):
    row = BASES[format_name]
    for path in places(row):
        for text in HOSTILE:
            context = context_of(None)

            records = parsed(format_name, with_text(row, path, text), context)

            assert all(map(fits_its_columns, (*records, *context.sources))), (path, text)
