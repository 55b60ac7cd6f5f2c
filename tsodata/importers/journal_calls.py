"""What every row of a journal holds, whatever was asked: the attempt, how it ended, and keys as 16 hex digits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tsodata.calls import Call, Reply
from tsodata.engines.protocol import FailureKind
from tsodata.importers.context import Row, fail, integer, maybe_text, number, text

if TYPE_CHECKING:
    from tsodata.records import Record

_KINDS = {kind.value for kind in FailureKind}
_KEY = re.compile(r"[0-9a-f]{16}")


def key_of(row: Row, name: str) -> int:
    """Return a key that must be there."""
    digits = text(row, name)
    if not _KEY.fullmatch(digits):
        fail("wrong_type", f"field {name!r} is not 16 hex digits")
    return int(digits, 16)


def maybe_key(row: Row, name: str) -> int | None:
    """Return a key, or None where the field is missing, null or empty."""
    return key_of(row, name) if row.get(name) else None


def failure_of(row: Row) -> str | None:
    """Return why the attempt gave nothing, or None where it was accepted."""
    failure = maybe_text(row, "failure")
    if failure is not None and failure not in _KINDS:
        fail("bad_content", f"no kind of failure {failure!r}")
    return failure


def call_records(
    row: Row,
    *,
    task: str,
    prompt_key: int,
    response_key: int | None = None,
    judgement_key: int | None = None,
    settings_key: int | None = None,
) -> Iterator[Record]:
    """Yield the call of a row, and its reply where something is known of one."""
    failure = failure_of(row)
    call = Call(
        call_key=key_of(row, "call_key"),
        request_key=key_of(row, "request_key"),
        task=task,
        engine=text(row, "engine"),
        endpoint=maybe_text(row, "endpoint"),
        model=text(row, "model"),
        attempt=integer(row, "attempt") or 1,
        prompt_key=prompt_key,
        response_key=response_key,
        judgement_key=judgement_key,
        settings_key=settings_key,
        failure=failure,
        detail=maybe_text(row, "detail") if failure else None,
        n_prompt_tokens=integer(row, "n_prompt_tokens"),
        n_completion_tokens=integer(row, "n_completion_tokens"),
        seconds=number(row, "seconds"),
    )
    yield call
    served, rendered = maybe_text(row, "served_model"), maybe_text(row, "prompt_sha256")
    if failure is None and (served or rendered):
        yield Reply(call.call_key, served, rendered)
