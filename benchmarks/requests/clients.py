"""One client's run: so many prompts, so many calls at once, against an endpoint. Prints seconds and processor seconds.

    python -m benchmarks.requests.clients NAME URL N CONCURRENCY

Clocks start after the imports and stop with the last answer: with tso, once it is committed to a store on disk. The
rivals' clients run from an environment of their own, so this file imports only what the one that is named needs.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

MODEL, TIMEOUT_S = "m", 60.0
Client = Callable[[str, int, int], float]


def prompts(n: int) -> list[str]:
    """Return the prompts."""
    return [f"question {i}: " + "and what of this? " * 5 for i in range(n)]


def body(prompt: str) -> dict[str, Any]:
    """Return what every client asks."""
    return {
        "model": MODEL,
        "messages": [{"role": "user", "content": prompt}],
        "temperature": 0.7,
        "top_p": 0.9,
        "max_tokens": 64,
        "seed": 1,
    }


async def in_workers(ask: Callable[[str], Awaitable[str]], n: int, concurrency: int) -> int:
    """Ask for every prompt from so many workers, and return how many answers came."""
    waiting = iter(prompts(n))

    async def work() -> int:
        return sum([len(await ask(prompt)) > 0 for prompt in waiting])

    return sum(await asyncio.gather(*(work() for _ in range(concurrency))))


def with_httpx2(url: str, n: int, concurrency: int) -> float:
    """Ask with nothing but an HTTP client."""
    import httpx2

    async def run() -> int:
        limits = httpx2.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
        async with httpx2.AsyncClient(limits=limits, timeout=TIMEOUT_S) as client:

            async def ask(prompt: str) -> str:
                reply = await client.post(f"{url}/chat/completions", json=body(prompt))
                return str(reply.json()["choices"][0]["message"]["content"])

            return await in_workers(ask, n, concurrency)

    return _timed(run, n)


def with_openai(url: str, n: int, concurrency: int) -> float:
    """Ask with the openai package, as its documentation does, from so many workers."""
    import httpx2
    import openai

    async def run() -> int:
        limits = httpx2.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
        http = openai.DefaultAsyncHttpxClient(limits=limits)
        async with openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0, http_client=http) as client:

            async def ask(prompt: str) -> str:
                reply = await client.chat.completions.create(**body(prompt))
                return reply.choices[0].message.content or ""

            return await in_workers(ask, n, concurrency)

    return _timed(run, n)


def with_tso(url: str, n: int, concurrency: int) -> float:
    """Fill a cell of a store: planned, paced, and every answer committed with its call."""
    from tsodata.engines.options import EngineOptions
    from tsodata.engines.protocol import Sampling
    from tsodata.generating import Ask, StoreShelf, fill_cells, parse_cell
    from tsodata.provenance import Run
    from tsodata.records import Prompt
    from tsodata.runner import Limits
    from tsodata.store import Store

    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "s.duckdb", create=True)
        with store.run(Run("benchmark")) as run:
            with store.transaction(run) as transaction:
                transaction.append({Prompt: [Prompt.of_user(text) for text in prompts(n)]})
            ask = Ask(parse_cell("owl/v1/7"), "openai", MODEL, EngineOptions(url, concurrency=concurrency))
            ask = Ask(ask.source, "openai", MODEL, ask.options, Sampling(max_tokens=64))
            started = time.perf_counter()
            (report,) = fill_cells(store, [ask], StoreShelf(store, run), limits=Limits(concurrency))
            elapsed_s = time.perf_counter() - started
        assert report.sums.n_done == n, report.sums
        assert store.sql("select count(*) from responses").item() == n
    return elapsed_s


def with_inspect_ai(url: str, n: int, concurrency: int) -> float:
    """Ask with inspect_ai's model interface."""
    from inspect_ai.model import GenerateConfig, get_model

    config = GenerateConfig(
        temperature=0.7, top_p=0.9, max_tokens=64, seed=1, max_connections=concurrency, max_retries=0
    )
    model = get_model(f"openai-api/box/{MODEL}", base_url=url, api_key="none", config=config)

    async def ask(prompt: str) -> str:
        return str((await model.generate(prompt)).completion)

    return _timed(lambda: in_workers(ask, n, concurrency), n)


def with_distilabel(url: str, n: int, concurrency: int) -> float:
    """Ask with distilabel's OpenAI client, in batches of as many inputs as there may be calls at once."""
    from distilabel.models import OpenAILLM

    llm = OpenAILLM(
        model=MODEL,
        base_url=url,
        api_key="none",
        max_retries=0,
        generation_kwargs={"temperature": 0.7, "top_p": 0.9, "max_new_tokens": 64},
    )
    llm.load()
    waiting = prompts(n)
    started = time.perf_counter()
    n_answers = 0
    for start in range(0, n, concurrency):
        inputs = [[{"role": "user", "content": prompt}] for prompt in waiting[start : start + concurrency]]
        n_answers += sum(output["generations"][0] is not None for output in llm.generate_outputs(inputs=inputs))
    elapsed_s = time.perf_counter() - started
    assert n_answers == n
    return elapsed_s


CLIENTS: dict[str, Client] = {
    "tso": with_tso,
    "openai": with_openai,
    "httpx2": with_httpx2,
    "inspect_ai": with_inspect_ai,
    "distilabel": with_distilabel,
}


def _timed(run: Callable[[], Awaitable[int]], n: int) -> float:
    async def timed() -> float:
        started = time.perf_counter()
        n_answers = await run()
        elapsed_s = time.perf_counter() - started
        assert n_answers == n
        return elapsed_s

    return asyncio.run(timed())


def main() -> None:
    """Run one client."""
    name, url, n, concurrency = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    client = CLIENTS[name]
    client(url, min(n, 50), concurrency)  # what is imported on first use, and the endpoint, are warm now
    before = time.process_time()
    elapsed_s = client(url, n, concurrency)
    print(json.dumps({"elapsed_s": elapsed_s, "cpu_s": time.process_time() - before}))


if __name__ == "__main__":
    main()
