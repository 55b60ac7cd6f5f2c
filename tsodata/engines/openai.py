"""Any endpoint that speaks OpenAI's chat completions: hosted, a vLLM server, `transformers serve`.

Uses the openai package for the connection only: it is told never to try again, and replies are read as they came,
because it passes off web pages, errors and nothing as success.
"""

from __future__ import annotations

import asyncio
import importlib
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
    import httpx2
    import openai

_NO_KEY = "none"  # the package wants one, and sends it to endpoints that ask for none
_CONNECT_S = 20.0


def make(model: str, options: EngineOptions) -> OpenAIEngine:
    """Return the engine of a model behind an endpoint.

    Raises:
        UsageError: the openai package, the key or the endpoint's address is missing or wrong.
    """
    endpoint = checked_endpoint(options.endpoint)
    key = read_key(endpoint, options.key_env)
    if options.settings:
        raise UsageError(f"engine openai takes no setting {min(options.settings)!r}")
    require_package()
    return OpenAIEngine(model, endpoint=endpoint, key=key, options=options)


def require_package() -> None:
    """Refuse to go on without the openai package.

    Raises:
        UsageError: it is not installed.
    """
    try:
        importlib.import_module("openai")  # half a second, before anything waits for it
    except ImportError:
        raise UsageError("endpoints need the openai package: pip install 'tso[openai]'") from None


class OpenAIEngine:
    """One model behind one endpoint. The endpoint tells no more of it than its name."""

    name = "openai"
    batch_size = 1

    def __init__(self, model: str, *, endpoint: str, key: str | None, options: EngineOptions) -> None:
        self.identity = ModelIdentity(model, revision=options.revision)
        self.endpoint: str | None = endpoint
        self.max_concurrency = options.concurrency
        self._address, self._key, self._timeout_s = endpoint, key, options.timeout_s
        self._client: openai.AsyncOpenAI | None = None

    async def complete(self, requests: Sequence[Request]) -> Sequence[Completion | Failure]:
        """Return one completion or failure per request; they go out one by one."""
        return [await self._complete(request) for request in requests]

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _complete(self, request: Request) -> Completion | Failure:
        client = self._client or self._connect()
        started = time.perf_counter()
        result = await self._reply(request, client)
        if isinstance(result, Failure):
            return replace(result, detail=without_key(result.detail, self._key))
        if self._key is not None and is_secret(self._key) and self._key in repr(result):
            return Failure(FailureKind.ERROR_IN_BODY, "the endpoint sends the key back in its answer")
        return replace(result, seconds=time.perf_counter() - started)

    async def _reply(self, request: Request, client: openai.AsyncOpenAI) -> Completion | Failure:
        import httpx2
        import openai

        body = request_body(request, self.identity.name)
        try:
            async with asyncio.timeout(self._timeout_s):  # of the whole reply: one that drips would last for ever
                response = await client.post("/chat/completions", cast_to=httpx2.Response, body=body)
            return read_reply(response.status_code, response.text, response.headers)
        except openai.APIStatusError as error:
            return read_reply(error.status_code, error.response.text, error.response.headers)
        except (TimeoutError, openai.APITimeoutError):
            return Failure(FailureKind.TIMEOUT, f"no whole reply within {self._timeout_s:g} s")
        except openai.APIConnectionError as error:
            return _disconnected(error)
        except openai.OpenAIError as error:
            return Failure(FailureKind.CONNECTION, one_line(f"{type(error).__name__}: {error}"))

    def _connect(self) -> openai.AsyncOpenAI:
        import httpx2
        import openai

        for name in ("httpx2", "httpcore2", "openai"):
            logging.getLogger(name).setLevel(logging.WARNING)  # they log addresses and bodies
        n = self.max_concurrency
        http = openai.DefaultAsyncHttpxClient(
            limits=httpx2.Limits(max_connections=n, max_keepalive_connections=n), timeout=self._timeout
        )
        self._client = openai.AsyncOpenAI(
            api_key=self._key or _NO_KEY,
            base_url=self._address,
            max_retries=0,
            timeout=self._timeout,
            http_client=http,
        )
        return self._client

    @property
    def _timeout(self) -> httpx2.Timeout:
        import httpx2

        return httpx2.Timeout(self._timeout_s, connect=min(_CONNECT_S, self._timeout_s), pool=None)


def _disconnected(error: openai.APIConnectionError) -> Failure:
    cause = error.__cause__ or error
    words = one_line(f"{type(cause).__name__}: {cause}")
    is_cut = "without sending complete message body" in words or "incomplete" in words.lower()
    return Failure(FailureKind.CUT_BODY if is_cut else FailureKind.CONNECTION, words)
