"""Keys and addresses of endpoints: a key comes from the environment, and goes nowhere but into the request's header.

An address that holds a key or a password is refused before anything records it.
"""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

from tsodata.errors import UsageError

DEFAULT_ENDPOINT = "https://api.openai.com/v1"
DEFAULT_KEY_ENV = "OPENAI_API_KEY"
HIDDEN = "[key]"
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_SHORTEST_SECRET = 8  # shorter ones, such as EMPTY, are placeholders, and would be found in any text


def checked_endpoint(endpoint: str | None) -> str:
    """Return the address to ask: the one given, else $OPENAI_BASE_URL, else OpenAI's own.

    Raises:
        UsageError: it is no http address, or has room for a secret: a user, a query, a fragment.
    """
    given = endpoint or os.environ.get("OPENAI_BASE_URL") or DEFAULT_ENDPOINT
    try:
        parts = urlsplit(given)
        has_secret = "@" in parts.netloc or bool(parts.query) or bool(parts.fragment)
        is_http = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        has_secret, is_http = False, False
    if has_secret:
        raise UsageError(
            "the endpoint's address holds a user, a query or a fragment, and so maybe a key; "
            "pass the bare address, and the key in the environment ($OPENAI_API_KEY, or --key-env NAME)"
        )
    if not is_http:
        raise UsageError("the endpoint is no address such as http://localhost:8000/v1")
    return given.rstrip("/")


def read_key(endpoint: str, key_env: str) -> str | None:
    """Return the key in an environment variable, or None where an endpoint of one's own needs none.

    Raises:
        UsageError: the variable is named and not set, OpenAI's own endpoint needs a key, or the address holds it.
    """
    key = os.environ.get(key_env, "").strip() or None
    if key is None and (key_env != DEFAULT_KEY_ENV or endpoint == DEFAULT_ENDPOINT):
        shown = key_env if _VARIABLE.fullmatch(key_env) else "of --key-env"  # a key in the wrong place is not repeated
        raise UsageError(f"the environment variable {shown} holds no key; set it, or name another with --key-env")
    if key is not None and not (key.isascii() and key.isprintable()):
        raise UsageError(f"the key in {key_env} holds characters that no header takes")
    if is_secret(key) and key is not None and key in endpoint:
        raise UsageError("the endpoint's address holds the key; pass the bare address")
    return key


def is_secret(key: str | None) -> bool:
    """Return whether a key is one that must not be found anywhere; short ones are placeholders."""
    return key is not None and len(key) >= _SHORTEST_SECRET


def without_key(text: str, key: str | None) -> str:
    """Return a text in which the key does not stand."""
    return text.replace(key, HIDDEN) if key is not None and is_secret(key) else text
