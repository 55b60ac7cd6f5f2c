"""A model of this machine, behind a server that lives as long as the engine: started when it is first asked.

What goes over the wire is the openai engine's; what the endpoint does not tell of its model, the folder does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from tsodata.engines.openai import OpenAIEngine, require_client
from tsodata.engines.options import EngineOptions
from tsodata.engines.protocol import Completion, Failure, FailureKind, ModelIdentity, Request
from tsodata.engines.serving import Server, ServingSettings
from tsodata.engines.settings import read_settings
from tsodata.engines.templates import find_model, identify_files

_PATIENCE_S = 1.0  # a connection is cut a moment before its process is gone


def make(model: str, options: EngineOptions) -> ServedEngine:
    """Return the engine of a folder, or of a name in the local cache.

    Raises:
        UsageError: no server or no HTTP client is installed, or the model is not usable.
    """
    settings = read_settings(ServingSettings, options.settings, engine="served")
    require_client()
    files = find_model(model, revision=options.revision, trust_remote_code=settings.trust_remote_code)
    return ServedEngine(Server(files, settings), identify_files(files), options)


class ServedEngine:
    """One model behind a server of our own."""

    batch_size = 1
    endpoint: str | None = None  # another port each time, so it says nothing

    def __init__(self, server: Server, identity: ModelIdentity, options: EngineOptions) -> None:
        self.name = f"served:{server.kind}"
        self.identity, self.max_concurrency = identity, options.concurrency
        self._server, self._options = server, options
        self._engine: OpenAIEngine | None = None
        self._turn = asyncio.Lock()

    async def complete(self, requests: Sequence[Request]) -> Sequence[Completion | Failure]:
        """Return one completion or failure per request.

        Raises:
            UsageError: the server does not start, or has ended.
        """
        engine = self._engine or await self._start()
        results = await engine.complete(requests)
        if any(isinstance(one, Failure) and one.kind is FailureKind.CONNECTION for one in results):
            await asyncio.to_thread(self._server.check, patience_s=_PATIENCE_S)
        name = self.identity.name  # there it goes by a folder's name
        return [one if isinstance(one, Failure) else replace(one, served_model=name) for one in results]

    async def close(self) -> None:
        """Stop the server."""
        if self._engine is not None:
            await self._engine.close()
            self._engine = None
        await asyncio.to_thread(self._server.stop)

    async def _start(self) -> OpenAIEngine:
        async with self._turn:  # of all that ask at once, one starts it
            if self._engine is None:
                try:
                    await asyncio.to_thread(self._server.start)
                except asyncio.CancelledError:
                    await asyncio.to_thread(self._server.stop)
                    raise
                options = replace(self._options, endpoint=self._server.endpoint, settings={})
                self._engine = OpenAIEngine(
                    self._server.model, endpoint=self._server.endpoint, key=None, options=options
                )
            return self._engine
