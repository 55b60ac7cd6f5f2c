"""OpenAI's batch files: requests out as lines, replies in as an engine that has them already.

The request's id stands as `custom_id`, so a line finds its place whatever the order. The replies go through the same
reading as those that come over the network.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tsodata import reading
from tsodata.engines.chat import one_line, read_reply, request_body
from tsodata.engines.protocol import Completion, Failure, FailureKind, ModelIdentity, Request
from tsodata.errors import ImportRefusedError, UsageError
from tsodata.provenance import format_id, parse_id

URL = "/v1/chat/completions"
_FINAL_HERE = {FailureKind.RATE_LIMITED: FailureKind.SERVER_ERROR}  # there is nobody to wait for


def write_batch(path: Path, requests: Iterable[Request], *, model: str) -> int:
    """Write requests as a batch file, whole or not at all, and return how many.

    Raises:
        UsageError: the file cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    n = 0
    try:
        with part.open("w", encoding="utf-8") as file:
            for request in requests:
                file.write(json.dumps(_line(request, model), ensure_ascii=False) + "\n")
                n += 1
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)
    return n


def _line(request: Request, model: str) -> dict[str, Any]:
    custom_id = format_id("request", request.key)
    return {"custom_id": custom_id, "method": "POST", "url": URL, "body": request_body(request, model)}


class BatchEngine:
    """Replies that came as a file of `n_rows` lines, each to be found by the request that it replies to."""

    name = "batch"
    endpoint: str | None = None
    batch_size = 1
    max_concurrency = 64

    def __init__(self, path: Path, identity: ModelIdentity) -> None:
        """Read a file of replies.

        Raises:
            ImportRefusedError: it cannot be read.
        """
        self.identity = identity
        self.replies: dict[int, Completion | Failure] = {}
        self.n_rows = 0
        self._unread: Counter[str] = Counter()
        self._asked: set[int] = set()
        if not path.is_file():
            raise ImportRefusedError(f"{path} is no file; pass the batch's output file to --batch-in")
        for row in reading.iter_rows(path):
            self.n_rows += 1
            self._note(row.value)

    def _note(self, row: Any) -> None:
        try:
            key = parse_id("request", row["custom_id"])
        except (TypeError, KeyError, UsageError):
            self._unread["no_request_id"] += 1
            return
        if key in self.replies:
            self._unread["repeated"] += 1
            return
        self.replies[key] = _reply(row)

    def replied(self, requests: Iterable[Request]) -> Iterator[Request]:
        """Yield the requests that the file has a reply to."""
        for request in requests:
            if request.key in self.replies:
                self._asked.add(request.key)
                yield request

    def unplaced(self, done: Collection[int]) -> Counter[str]:
        """Return how many lines replied to none of the requests, by reason; `done` are requests answered before."""
        found = Counter(self._unread)
        for key in self.replies.keys() - self._asked:
            found["already_there" if key in done else "not_planned"] += 1
        return found

    async def complete(self, requests: Sequence[Request]) -> Sequence[Completion | Failure]:
        """Return what came for each request; all of them came."""
        return [self.replies[request.key] for request in requests]

    async def close(self) -> None:
        """Hold nothing."""


def n_unusable(unplaced: Mapping[str, int]) -> int:
    """Return how many lines without a request should have had one; a file may be read twice."""
    return sum(n for reason, n in unplaced.items() if reason != "already_there")


def _reply(row: dict[str, Any]) -> Completion | Failure:
    response = row.get("response")
    if not isinstance(response, dict):
        error = row.get("error")
        words = error.get("message") if isinstance(error, dict) else error
        return Failure(FailureKind.ERROR_IN_BODY, one_line(f"no response: {words}"))
    status, body = response.get("status_code"), response.get("body")
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    result = read_reply(status if isinstance(status, int) else 0, text)
    if isinstance(result, Failure):
        return replace(result, kind=_FINAL_HERE.get(result.kind, result.kind), retry_after_s=None)
    return result
