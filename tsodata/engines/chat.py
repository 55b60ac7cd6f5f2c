"""The chat-completions wire format: the body of a request, and what a reply of any kind means.

Endpoints pass off a lot as success: web pages, JSON that breaks off, errors, nothing. Each has its own kind of failure,
and only a text is an answer. Knows no network.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from tsodata.engines.protocol import Completion, Failure, FailureKind, Request

DETAIL_CHARS = 300
_TOO_LONG = re.compile(
    r"context[_ ]length|context window|maximum (model )?length|max_model_len|prompt is too long|too many tokens",
    re.IGNORECASE,
)
_FILTERED = re.compile(r"content_filter|content_policy|content management policy|safety", re.IGNORECASE)


def request_body(request: Request, model: str) -> dict[str, Any]:
    """Return the JSON body that asks for one answer."""
    sampling = request.sampling
    body: dict[str, Any] = {
        "model": model,
        "messages": [dict(message) for message in request.messages],
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
    }
    if request.seed is not None:
        body["seed"] = request.seed
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if sampling.top_logprobs is not None:
        body |= {"logprobs": True, "top_logprobs": sampling.top_logprobs}
    return body


def read_reply(status: int, text: str, headers: Mapping[str, str] | None = None) -> Completion | Failure:
    """Return what a reply means, by its status, its body as text and its headers (names in lower case)."""
    if not 200 <= status < 300:
        return _refusal(status, text, retry_after_s(headers or {}))
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        is_cut = text.lstrip().startswith("{")
        kind = FailureKind.CUT_BODY if is_cut else FailureKind.NOT_JSON
        return Failure(kind, one_line(f"{'JSON that breaks off' if is_cut else 'not JSON'}: {text[:80]}"))
    if not isinstance(body, dict):
        return Failure(FailureKind.NOT_JSON, one_line(f"not an object: {text[:80]}"))
    return read_body(body)


def read_body(body: Mapping[str, Any]) -> Completion | Failure:
    """Return the answer in the body of a reply, or why there is none."""
    if body.get("error"):
        return Failure(FailureKind.ERROR_IN_BODY, _message(body))
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return Failure(FailureKind.NO_CHOICES, "the reply has no choices")
    choice: Mapping[str, Any] = choices[0]
    message = choice.get("message")
    said: Mapping[str, Any] = message if isinstance(message, dict) else {}
    if said.get("refusal") or choice.get("finish_reason") == "content_filter":
        return Failure(FailureKind.REFUSED, one_line(str(said.get("refusal") or "content_filter")))
    words = said.get("content")
    if not isinstance(words, str):
        what = "null" if words is None else f"{type(words).__name__}, not text"
        return Failure(FailureKind.NULL_CONTENT, f"the message's content is {what}")
    try:
        words.encode()
    except UnicodeEncodeError:
        return Failure(FailureKind.NOT_JSON, "the message's content holds half a surrogate pair")
    try:
        top_logprobs = _top_logprobs(choice.get("logprobs"))
    except (KeyError, TypeError, ValueError, AttributeError):
        return Failure(FailureKind.ERROR_IN_BODY, "log-probabilities that cannot be read")
    return replace(_completion(body, choice, words), top_logprobs=top_logprobs)


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return how many seconds the other side asks to be left alone, or None where it does not say.

    `Retry-After` is a number of seconds or a date (RFC 9110, 10.2.3); `retry-after-ms` is OpenAI's.
    """
    for name, scale in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) / scale
        except (KeyError, ValueError):
            continue
        return max(0.0, seconds) if math.isfinite(seconds) else None
    try:
        until = parsedate_to_datetime(headers["retry-after"])
    except (KeyError, ValueError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - (now or datetime.now(UTC))).total_seconds())


def one_line(text: str) -> str:
    """Return a text as one line of bounded length that the store takes."""
    line = " ".join(text.encode("utf-8", "backslashreplace").decode().split())
    return line if len(line) <= DETAIL_CHARS else f"{line[:DETAIL_CHARS]}…"


def _refusal(status: int, text: str, wait_s: float | None) -> Failure:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    said = _message(body) if isinstance(body, dict) else one_line(text[:120])
    return Failure(_kind(status, text), one_line(f"status {status}: {said}"), wait_s)


def _kind(status: int, text: str) -> FailureKind:
    match status:
        case 401 | 403:
            return FailureKind.UNAUTHORISED
        case 429:
            return FailureKind.RATE_LIMITED
        case 408:
            return FailureKind.TIMEOUT
        case 413:
            return FailureKind.TOO_LONG
    if status >= 500:
        return FailureKind.SERVER_ERROR
    if _TOO_LONG.search(text):
        return FailureKind.TOO_LONG
    return FailureKind.REFUSED if _FILTERED.search(text) else FailureKind.BAD_REQUEST


def _message(body: Mapping[str, Any]) -> str:
    """Return the words of an error, in whichever of the usual places they stand."""
    error = body.get("error") or body.get("detail") or body.get("message") or body
    words = error.get("message") or error if isinstance(error, dict) else error
    return one_line(words if isinstance(words, str) else json.dumps(words, ensure_ascii=False, default=str))


def _completion(body: Mapping[str, Any], choice: Mapping[str, Any], words: str) -> Completion:
    usage = body.get("usage")
    counts: Mapping[str, Any] = usage if isinstance(usage, dict) else {}
    reason, model = choice.get("finish_reason"), body.get("model")
    return Completion(
        text=words,
        finish_reason=one_line(reason) if isinstance(reason, str) else None,
        n_prompt_tokens=_count(counts.get("prompt_tokens")),
        n_completion_tokens=_count(counts.get("completion_tokens")),
        served_model=one_line(model) if isinstance(model, str) else None,
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _top_logprobs(value: object) -> tuple[dict[str, float], ...] | None:
    tokens = value.get("content") if isinstance(value, dict) else None
    if not isinstance(tokens, list):
        return None
    return tuple(
        {str(top["token"]): float(top["logprob"]) for top in token.get("top_logprobs") or []} for token in tokens
    )
