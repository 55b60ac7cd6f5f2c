"""Journals of `tso-data generate --shard`: one row per attempt, with everything that it rests on.

Keys are made again from the content, so that the import adds what a run without shards would have added.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tsodata.calls import Call, Reply
from tsodata.engines.protocol import FailureKind
from tsodata.importers.context import (
    Context,
    Row,
    fail,
    from_json,
    integer,
    maybe_text,
    number,
    present,
    sample_index,
    text,
)
from tsodata.records import Message, Prompt, Record, Response, Settings, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

_KINDS = {kind.value for kind in FailureKind}


_KEY = re.compile(r"[0-9a-f]{16}")


def parse(row: Row, context: Context) -> Iterator[Record]:
    """Yield the prompt, the settings and the call, and where it was accepted the answer and its cell."""
    prompt = Prompt(_messages(row))
    if prompt.prompt_key != _key(row, "prompt_key"):
        fail("bad_content", "the messages are not those of the prompt's key")
    failure = maybe_text(row, "failure")
    if failure is not None and failure not in _KINDS:
        fail("bad_content", f"no kind of failure {failure!r}")
    settings = Settings(text(row, "settings"))
    yield from (prompt, settings)
    response = None
    if failure is None:
        source = context.keep(Source.model(text(row, "family"), maybe_text(row, "version"), number(row, "size")))
        response = _response(row, prompt, source, settings)
        yield response
    call = _call(row, prompt, response=response, settings=settings, failure=failure)
    yield call
    served, rendered = maybe_text(row, "served_model"), maybe_text(row, "prompt_sha256")
    if failure is None and (served or rendered):
        yield Reply(call.call_key, served, rendered)


def _response(row: Row, prompt: Prompt, source: Source, settings: Settings) -> Response:
    return Response(
        prompt_key=prompt.prompt_key,
        source_key=source.source_key,
        text=text(row, "text", may_be_empty=True),
        sample_index=sample_index(row, "sample_index"),
        settings_key=settings.settings_key,
        seed=integer(row, "seed"),
        finish_reason=maybe_text(row, "finish_reason"),
        previous_key=_key(row, "previous_key") if row.get("previous_key") else None,
    )


def _call(row: Row, prompt: Prompt, *, response: Response | None, settings: Settings, failure: str | None) -> Call:
    return Call(
        call_key=_key(row, "call_key"),
        request_key=_key(row, "request_key"),
        task="generate",
        engine=text(row, "engine"),
        endpoint=maybe_text(row, "endpoint"),
        model=text(row, "model"),
        attempt=integer(row, "attempt") or 1,
        prompt_key=prompt.prompt_key,
        response_key=response.response_key if response else None,
        settings_key=settings.settings_key,
        failure=failure,
        detail=maybe_text(row, "detail") if failure else None,
        n_prompt_tokens=integer(row, "n_prompt_tokens"),
        n_completion_tokens=integer(row, "n_completion_tokens"),
        seconds=number(row, "seconds"),
    )


def _messages(row: Row) -> tuple[Message, ...]:
    items = from_json(present(row, "messages"), "messages")
    if not isinstance(items, list) or not all(
        isinstance(item, dict) and set(item) == {"role", "content"} for item in items
    ):
        fail("wrong_type", "field 'messages' is not a list of role and content")
    return tuple({"role": item["role"], "content": item["content"]} for item in items)


def _key(row: Row, name: str) -> int:
    digits = text(row, name)
    if not _KEY.fullmatch(digits):
        fail("wrong_type", f"field {name!r} is not 16 hex digits")
    return int(digits, 16)
