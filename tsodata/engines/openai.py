"""Any endpoint that speaks OpenAI's chat completions: hosted, a vLLM server, `transformers serve`.

Speaks HTTP itself: the openai package passes off web pages, errors and nothing as success, tries again on its own, and
costs twice the processor time of the request. Replies are read as they came (`chat`).
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tsodata.engines.chat import one_line, read_reply, request_body
from tsodata.engines.keys import checked_endpoint, is_secret, read_key, without_key
from tsodata.engines.options import EngineOptions
from tsodata.engines.protocol import Completion, Failure, FailureKind, ModelIdentity, Request
from tsodata.errors import UsageError

if TYPE_CHECKING:
    import ssl

    import httpx2

_NO_KEY = "none"  # some endpoints want a key, whichever
_CONNECT_S = 20.0


def make(model: str, options: EngineOptions) -> OpenAIEngine:
    """Return the engine of a model behind an endpoint.

    Raises:
        UsageError: the HTTP client, the key or the endpoint's address is missing or wrong.
    """
    endpoint = checked_endpoint(options.endpoint)
    key = read_key(endpoint, options.key_env)
    if options.settings:
        raise UsageError(f"engine openai takes no setting {min(options.settings)!r}")
    require_client()
    return OpenAIEngine(model, endpoint=endpoint, key=key, options=options)


def require_client() -> None:
    """Refuse to go on without an HTTP client.

    Raises:
        UsageError: it is not installed.
    """
    try:
        importlib.import_module("httpx2")
    except ImportError:
        raise UsageError("endpoints need an HTTP client: pip install 'tso[openai]'") from None


class OpenAIEngine:
    """One model behind one endpoint. The endpoint tells no more of it than its name."""

    name = "openai"
    batch_size = 1

    def __init__(self, model: str, *, endpoint: str, key: str | None, options: EngineOptions) -> None:
        self.identity = ModelIdentity(model, revision=options.revision)
        self.endpoint: str | None = endpoint
        self.max_concurrency = options.concurrency
        self._address, self._key, self._timeout_s = f"{endpoint}/chat/completions", key, options.timeout_s
        self._clients: list[httpx2.AsyncClient] = []
        self._idle: list[httpx2.AsyncClient] = []
        self._trusted: ssl.SSLContext | None = None

    async def complete(self, requests: Sequence[Request]) -> Sequence[Completion | Failure]:
        """Return one completion or failure per request; they go out one by one."""
        return [await self._complete(request) for request in requests]

    async def close(self) -> None:
        """Close the connections."""
        while self._clients:
            await self._clients.pop().aclose()
        self._idle.clear()

    async def _complete(self, request: Request) -> Completion | Failure:
        client = self._idle.pop() if self._idle else self._connect()
        started = time.perf_counter()
        try:
            result = await self._reply(request, client)
        finally:
            self._idle.append(client)
        if isinstance(result, Failure):
            return replace(result, detail=without_key(result.detail, self._key))
        if self._key is not None and is_secret(self._key) and self._key in repr(result):
            return Failure(FailureKind.ERROR_IN_BODY, "the endpoint sends the key back in its answer")
        return replace(result, seconds=time.perf_counter() - started)

    async def _reply(self, request: Request, client: httpx2.AsyncClient) -> Completion | Failure:
        import httpx2

        content = json.dumps(request_body(request, self.identity.name), ensure_ascii=False).encode()
        try:
            async with asyncio.timeout(self._timeout_s):  # of the whole reply: one that drips would last for ever
                response = await client.post(self._address, content=content)
            return read_reply(response.status_code, response.text, response.headers)
        except (TimeoutError, httpx2.TimeoutException):
            return Failure(FailureKind.TIMEOUT, f"no whole reply within {self._timeout_s:g} s")
        except httpx2.HTTPError as error:
            return _disconnected(error)

    def _connect(self) -> httpx2.AsyncClient:
        """Return a client of one connection: a pool of many looks at each of them for every request (httpx2 2.16)."""
        import httpx2

        for name in ("httpx2", "httpcore2"):
            logging.getLogger(name).setLevel(logging.WARNING)  # they log addresses
        self._trusted = self._trusted or httpx2.create_ssl_context()
        client = httpx2.AsyncClient(
            headers={"Authorization": f"Bearer {self._key or _NO_KEY}", "Content-Type": "application/json"},
            limits=httpx2.Limits(max_connections=1, max_keepalive_connections=1),
            timeout=httpx2.Timeout(self._timeout_s, connect=min(_CONNECT_S, self._timeout_s), pool=None),
            verify=self._trusted,
        )
        self._clients.append(client)
        return client


def _disconnected(error: httpx2.HTTPError) -> Failure:
    words = one_line(f"{type(error).__name__}: {error}")
    is_cut = "without sending complete message body" in words or "incomplete" in words.lower()
    return Failure(FailureKind.CUT_BODY if is_cut else FailureKind.CONNECTION, words)
