"""Journals of `tso-data generate` and `tso-data judge`: one row per attempt, with everything that it rests on.

Keys are made again from the content, so that the import adds what a run into the store would have added.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from tsodata.importers import journal_judgements
from tsodata.importers.context import (
    Context,
    Parse,
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
from tsodata.importers.journal_calls import call_records, failure_of, key_of, maybe_key
from tsodata.records import Message, Prompt, Record, Response, Settings, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ANSWERS = "generate"


def parse(row: Row, context: Context) -> Iterator[Record]:
    """Yield the call, and an answer with its prompt and cell, or judgements with what was read in them."""
    task = text(row, "task")
    if task not in _PARSERS:
        fail("bad_content", f"no task {task!r}; journals hold {' and '.join(_PARSERS)}")
    yield from _PARSERS[task](row, context)


def names(row: Row) -> Iterator[str]:
    """Yield the ids of the answers that a row's judgements are about."""
    return journal_judgements.names(row)


def _answer(row: Row, context: Context) -> Iterator[Record]:
    prompt = Prompt(_messages(row))
    if prompt.prompt_key != key_of(row, "prompt_key"):
        fail("bad_content", "the messages are not those of the prompt's key")
    settings = Settings(text(row, "settings"))
    yield from (prompt, settings)
    response = None
    if failure_of(row) is None:
        source = context.keep(Source.model(text(row, "family"), maybe_text(row, "version"), number(row, "size")))
        response = _response(row, prompt, source, settings)
        yield response
    yield from call_records(
        row,
        task=_ANSWERS,
        prompt_key=prompt.prompt_key,
        response_key=response.response_key if response else None,
        settings_key=settings.settings_key,
    )


def _response(row: Row, prompt: Prompt, source: Source, settings: Settings) -> Response:
    return Response(
        prompt_key=prompt.prompt_key,
        source_key=source.source_key,
        text=text(row, "text", may_be_empty=True),
        sample_index=sample_index(row, "sample_index"),
        settings_key=settings.settings_key,
        seed=integer(row, "seed"),
        finish_reason=maybe_text(row, "finish_reason"),
        previous_key=maybe_key(row, "previous_key"),
    )


def _messages(row: Row) -> tuple[Message, ...]:
    items = from_json(present(row, "messages"), "messages")
    if not isinstance(items, list) or not all(
        isinstance(item, dict) and set(item) == {"role", "content"} for item in items
    ):
        fail("wrong_type", "field 'messages' is not a list of role and content")
    return tuple({"role": item["role"], "content": item["content"]} for item in items)


_PARSERS: Mapping[str, Parse] = MappingProxyType({_ANSWERS: _answer, journal_judgements.TASK: journal_judgements.parse})
