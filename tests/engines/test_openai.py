"""The engine against an endpoint that misbehaves in every way that has been seen."""

import asyncio
import logging

import pytest

from tsodata.engines.choosing import make_engine
from tsodata.engines.options import EngineOptions
from tsodata.engines.protocol import FailureKind, Request, Sampling

KEY = "sk-canary-0123456789"
MESSAGES = (
    {"role": "system", "content": "be brief"},
    {"role": "user", "content": "q1"},
    {"role": "assistant", "content": "a1"},
    {"role": "user", "content": "q2"},
)


@pytest.fixture
def asked(chaos, monkeypatch):
    """Ask a misbehaving endpoint once, and return what came and the server."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    def ask(fault=None, *, timeout_s=5.0, url=None, **settings):
        with chaos.running(faults={fault: 1.0} if fault else {}, **settings) as server:
            engine = make_engine("openai", "m", EngineOptions(url or server.url, timeout_s=timeout_s))

            async def once():
                try:
                    return await engine.complete([Request(1, MESSAGES, Sampling(), seed=5)])
                finally:
                    await engine.close()

            (result,) = asyncio.run(once())
        return result, server

    return ask


def test_a_dialogue_with_a_system_message_is_answered_with_its_seed_and_counts(asked):
    result, server = asked()

    assert result.text == "4 turns, seed 5: q2"
    assert (result.finish_reason, result.n_prompt_tokens, result.n_completion_tokens) == ("stop", 4, 5)
    assert result.served_model == "m"
    assert 0 < result.seconds < 5
    assert server.bodies[0]["messages"] == list(MESSAGES)
    assert server.keys == {f"Bearer {KEY}"}


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("rate_limited", FailureKind.RATE_LIMITED),
        ("server_error", FailureKind.SERVER_ERROR),
        ("cut_body", FailureKind.CUT_BODY),
        ("cut_json", FailureKind.CUT_BODY),
        ("html", FailureKind.NOT_JSON),
        ("null_content", FailureKind.NULL_CONTENT),
        ("error_in_body", FailureKind.ERROR_IN_BODY),
        ("no_choices", FailureKind.NO_CHOICES),
        ("refused", FailureKind.REFUSED),
        ("dropped", FailureKind.CONNECTION),
        ("echo_key", FailureKind.ERROR_IN_BODY),
    ],
)
def test_each_fault_is_a_failure_of_its_own_kind_asked_once_and_without_the_key(asked, fault, kind):
    result, server = asked(fault)

    assert result.kind is kind
    assert KEY not in result.detail
    assert server.n_asked == 1  # trying again is the runner's business


@pytest.mark.parametrize(
    ("fault", "retry_after", "seconds"), [("rate_limited", "7", 7.0), ("rate_limited", None, None)]
)
def test_the_wait_that_a_rate_limit_asks_for_is_handed_on(asked, fault, retry_after, seconds):
    assert asked(fault, retry_after=retry_after)[0].retry_after_s == seconds


def test_a_date_in_the_past_is_no_wait(asked):
    assert asked("rate_limited_date")[0].retry_after_s == 0.0


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_not_told(asked, status):
    result, _ = asked(status=status)

    assert result.kind is FailureKind.UNAUTHORISED
    assert result.detail == f"status {status}: no, Bearer [key]"


def test_a_reply_that_never_comes_is_given_up(asked):
    result, _ = asked("hang", timeout_s=0.2)

    assert (result.kind, result.detail) == (FailureKind.TIMEOUT, "no whole reply within 0.2 s")


def test_a_place_where_nobody_listens_is_a_connection_failure(asked):
    result, _ = asked(url="http://127.0.0.1:9/v1")

    assert result.kind is FailureKind.CONNECTION


def test_an_endpoint_that_wants_no_key_gets_none_of_ours(asked, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    _, server = asked()

    assert server.keys == {"Bearer none"}


def test_its_libraries_log_neither_addresses_nor_keys(asked, caplog):
    with caplog.at_level(logging.DEBUG):
        asked()
        asked("server_error")

    assert KEY not in caplog.text
    assert "127.0.0.1" not in caplog.text
