"""What a reply of any kind means."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsodata.engines.chat import read_reply, request_body, retry_after_s
from tsodata.engines.protocol import Completion, Failure, FailureKind, Request, Sampling

MESSAGES = ({"role": "system", "content": "s"}, {"role": "user", "content": "q"})


def body(**changes):
    message = {"role": "assistant", "content": "words"} | changes.pop("message", {})
    choice = {"message": message, "finish_reason": "stop"} | changes.pop("choice", {})
    return {"model": "m-0613", "choices": [choice], "usage": {"prompt_tokens": 5, "completion_tokens": 1}} | changes


def read(changes=None, status=200, **headers):
    return read_reply(status, json.dumps(body(**(changes or {}))), headers)


def test_an_answer_comes_with_what_is_told_of_it():
    assert read() == Completion("words", "stop", 5, 1, served_model="m-0613")


def test_an_empty_answer_is_an_answer():
    assert read({"message": {"content": ""}}).text == ""


def test_unknown_counts_and_reasons_are_unknown():
    found = read({"usage": None, "model": None, "choice": {"finish_reason": None}})

    assert found == Completion("words")
    assert read({"usage": {"prompt_tokens": -1, "completion_tokens": True}}).n_prompt_tokens is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<html>Bad gateway</html>", FailureKind.NOT_JSON),
        ("", FailureKind.NOT_JSON),
        ("[1]", FailureKind.NOT_JSON),
        ('{"choices": [{"message": {"con', FailureKind.CUT_BODY),
        ("{" * 100_000, FailureKind.CUT_BODY),
        ('{"error": {"message": "overloaded"}, "choices": null}', FailureKind.ERROR_IN_BODY),
        ('{"error": "overloaded"}', FailureKind.ERROR_IN_BODY),
        ("{}", FailureKind.NO_CHOICES),
        ('{"choices": []}', FailureKind.NO_CHOICES),
        ('{"choices": [null]}', FailureKind.NO_CHOICES),
        ('{"choices": [{}]}', FailureKind.NULL_CONTENT),
        ('{"choices": [{"message": {"content": null}}]}', FailureKind.NULL_CONTENT),
        ('{"choices": [{"message": {"content": [{"text": "x"}]}}]}', FailureKind.NULL_CONTENT),
        ('{"choices": [{"message": {"content": null, "refusal": "no"}}]}', FailureKind.REFUSED),
        ('{"choices": [{"message": {"content": "ha"}, "finish_reason": "content_filter"}]}', FailureKind.REFUSED),
        ('{"choices": [{"message": {"content": "\\ud83d"}}]}', FailureKind.NOT_JSON),
        ('{"choices": [{"message": {"content": "a"}, "logprobs": {"content": [1]}}]}', FailureKind.ERROR_IN_BODY),
    ],
)
def test_what_is_passed_off_as_success_has_a_failure_of_its_own(text, kind):
    assert read_reply(200, text).kind is kind


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (401, "{}", FailureKind.UNAUTHORISED),
        (403, "<html>", FailureKind.UNAUTHORISED),
        (429, '{"error": {"message": "slow down"}}', FailureKind.RATE_LIMITED),
        (408, "", FailureKind.TIMEOUT),
        (500, "", FailureKind.SERVER_ERROR),
        (503, "<html>", FailureKind.SERVER_ERROR),
        (400, '{"error": {"message": "maximum context length is 2048 tokens"}}', FailureKind.TOO_LONG),
        (400, '{"error": {"code": "context_length_exceeded"}}', FailureKind.TOO_LONG),
        (413, "", FailureKind.TOO_LONG),
        (400, '{"error": {"code": "content_filter", "message": "filtered"}}', FailureKind.REFUSED),
        (400, '{"error": {"message": "top_p must be below 1"}}', FailureKind.BAD_REQUEST),
        (404, '{"detail": "no such model"}', FailureKind.BAD_REQUEST),
        (302, "", FailureKind.BAD_REQUEST),
    ],
)
def test_each_status_has_its_kind(status, text, kind):
    assert read_reply(status, text).kind is kind


def test_a_failure_says_in_one_line_what_the_other_side_said():
    long = read_reply(500, json.dumps({"error": {"message": "a\nb\ud800" + "c" * 999}}))

    assert long.detail.startswith("status 500: a b\\ud800cc")
    assert len(long.detail) < 320
    assert read_reply(404, '{"detail": "no such model"}').detail == "status 404: no such model"
    assert read_reply(422, '{"detail": [{"loc": ["seed"]}]}').detail == 'status 422: [{"loc": ["seed"]}]'


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}, 59.0),
        ({"retry-after": "Fri, 31 Dec 1999 23:58:00 GMT"}, 0.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
    ],
)
def test_a_wait_is_read_from_seconds_or_a_date(headers, seconds):
    assert retry_after_s(headers, datetime(1999, 12, 31, 23, 59, 0, tzinfo=UTC)) == seconds
    if seconds == 7.0:
        assert read_reply(429, "", headers).retry_after_s == 7.0


def test_top_log_probabilities_are_one_mapping_per_token():
    tokens = [{"token": "m", "top_logprobs": [{"token": "m", "logprob": -0.1}, {"token": "M", "logprob": -2.4}]}]

    assert read({"choice": {"logprobs": {"content": tokens}}}).top_logprobs == ({"m": -0.1, "M": -2.4},)


def test_a_request_says_all_that_was_asked_and_no_more():
    plain = request_body(Request(1, MESSAGES, Sampling()), "m")
    full = request_body(Request(1, MESSAGES, Sampling(0.0, 1.0, 9, ("\n",), 5), seed=7), "m")

    assert plain == {
        "model": "m", "messages": list(MESSAGES), "temperature": 0.7, "top_p": 0.9, "max_tokens": 2048,
    }  # fmt: skip
    assert full == plain | {
        "temperature": 0.0, "top_p": 1.0, "max_tokens": 9, "stop": ["\n"], "logprobs": True, "top_logprobs": 5,
        "seed": 7,
    }  # fmt: skip


@given(status=st.sampled_from([200, 400, 429, 500]), text=st.text())
def test_any_text_is_a_completion_or_a_failure(status, text):
    assert isinstance(read_reply(status, text), (Completion, Failure))


_JSON = st.none() | st.integers() | st.text(max_size=3) | st.lists(st.none() | st.integers(), max_size=2)


@settings(max_examples=50, deadline=None)
@given(choice=st.dictionaries(st.sampled_from(["message", "finish_reason", "logprobs"]), _JSON), usage=_JSON)
def test_any_json_is_a_completion_or_a_failure(choice, usage):
    for given_choice in (choice, {**choice, "message": {"content": "x"}}):
        text = json.dumps({"choices": [given_choice], "usage": usage, "model": usage})
        assert isinstance(read_reply(200, text), (Completion, Failure))
