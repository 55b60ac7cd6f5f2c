"""Keys and addresses: nothing that is secret gets further than the header."""

import pytest

from tsodata.engines.choosing import ENGINES, check_options, make_engine
from tsodata.engines.keys import checked_endpoint, read_key, without_key
from tsodata.engines.openai import OpenAIEngine
from tsodata.engines.options import EngineOptions
from tsodata.errors import UsageError

KEY = "sk-canary-0123456789"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_LOG"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "endpoint",
    [
        f"https://user:{KEY}@host/v1",
        f"https://{KEY}@host/v1",
        f"https://host/v1?api_key={KEY}",
        f"https://host/v1#{KEY}",
    ],
)
def test_an_address_that_may_hold_a_key_is_refused_and_not_repeated(endpoint, monkeypatch):
    with pytest.raises(UsageError, match="maybe a key") as refused:
        checked_endpoint(endpoint)
    monkeypatch.setenv("OPENAI_BASE_URL", endpoint)
    with pytest.raises(UsageError, match="maybe a key"):
        make_engine("openai", "m")

    assert KEY not in str(refused.value)


@pytest.mark.parametrize("endpoint", ["host/v1", "ftp://host", "http://", "http://[::1", "http://host:port/v1"])
def test_what_is_no_address_is_refused(endpoint):
    with pytest.raises(UsageError, match="no address such as"):
        checked_endpoint(endpoint)


def test_the_address_is_the_one_given_else_the_environments_else_openais(monkeypatch):
    assert checked_endpoint(None) == "https://api.openai.com/v1"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://box:8000/v1/")
    assert checked_endpoint(None) == "http://box:8000/v1"
    assert checked_endpoint("http://other/v1") == "http://other/v1"


def test_a_key_comes_from_the_variable_that_is_named(monkeypatch):
    monkeypatch.setenv("OTHER_KEY", f" {KEY}\n")

    assert read_key("http://box/v1", "OTHER_KEY") == KEY
    assert read_key("http://box/v1", "OPENAI_API_KEY") is None
    with pytest.raises(UsageError, match="OPENAI_API_KEY holds no key"):
        read_key("https://api.openai.com/v1", "OPENAI_API_KEY")


def test_a_key_in_place_of_its_variables_name_is_not_repeated():
    with pytest.raises(UsageError, match="holds no key") as refused:
        read_key("http://box/v1", KEY)

    assert KEY not in str(refused.value)


@pytest.mark.parametrize(
    ("key", "words"), [("sk-\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9", "no header"), ("secretbox", "holds the key")]
)
def test_a_key_that_cannot_be_kept_apart_is_refused(key, words, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", key)

    with pytest.raises(UsageError, match=words) as refused:
        read_key("http://secretbox/v1", "OPENAI_API_KEY")
    assert key not in str(refused.value)


def test_a_key_is_taken_out_of_texts_and_a_placeholder_is_not():
    assert without_key(f"Incorrect API key provided: {KEY}.", KEY) == "Incorrect API key provided: [key]."
    assert without_key("nonexistent", "none") == "nonexistent"


def test_the_engine_shows_no_key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    engine = make_engine("openai", "m", EngineOptions("http://box/v1"))

    assert isinstance(engine, OpenAIEngine)
    assert KEY not in repr(engine)
    assert engine.endpoint == "http://box/v1"
    assert (engine.identity.name, engine.identity.revision) == ("m", None)


def test_what_an_engine_cannot_do_is_said():
    with pytest.raises(UsageError, match="no engine 'x'; known are openai, served, transformers, vllm"):
        make_engine("x", "m")
    with pytest.raises(UsageError, match="takes no setting 'device'"):
        make_engine("openai", "m", EngineOptions("http://box/v1", settings={"device": "cpu"}))
    with pytest.raises(UsageError, match="engine vllm has no endpoint"):
        check_options("vllm", EngineOptions("http://box/v1"))
    assert list(ENGINES) == ["openai", "served", "transformers", "vllm"]
