"""A chat-completions endpoint that behaves as badly as it is told to, on the loopback interface.

    python tests/chaos/server.py --log asked.jsonl [--latency 0.05] [--faults]

What it does with a request depends on the seed, the request and how often it came, so two runs see the same faults. It
logs what it does with each request, and the answer, before the answer leaves: what a client got must stand there.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import random
import threading
from collections import Counter
from pathlib import Path

FAULTS = {
    "rate_limited": 0.04,
    "rate_limited_date": 0.01,
    "server_error": 0.03,
    "cut_body": 0.02,
    "cut_json": 0.01,
    "html": 0.02,
    "null_content": 0.02,
    "error_in_body": 0.02,
    "no_choices": 0.01,
    "refused": 0.01,
    "dropped": 0.01,
    "slow": 0.02,
    "hang": 0.005,
    "empty": 0.01,
    "echo_key": 0.01,
}
WELL = {"well", "slow", "empty"}  # what gives an answer
SLOW_S = 0.3
HTML = b"<html><body>Bad gateway</body></html>"


def reply(status, body, *, kind="application/json", headers=(), length=None):
    """Return a whole HTTP reply, or one whose length is not that of its body."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {length or len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def error(status, message, *headers):
    return reply(status, json.dumps({"error": {"message": message, "type": "x"}}).encode(), headers=headers)


def completion(body, text, **message):
    """Return the JSON of an answer."""
    said = {"role": "assistant", "content": text, **message}
    n_prompt = sum(len(m["content"] or "") for m in body["messages"]) // 4 + 1
    n_answer = len((text or "").split())
    usage = {"prompt_tokens": n_prompt, "completion_tokens": n_answer, "total_tokens": n_prompt + n_answer}
    choice = {"index": 0, "message": said, "finish_reason": "stop"}
    return json.dumps({"id": "c", "model": body["model"], "choices": [choice], "usage": usage}).encode()


def answer_text(body):
    """Return what this endpoint answers: the last words it was asked, and the seed."""
    return f"{len(body['messages'])} turns, seed {body.get('seed')}: {body['messages'][-1]['content']}"


class ChaosServer:
    """The endpoint. `faults` are shares of requests by what goes wrong; `retry_after` goes with each 429."""

    def __init__(self, *, faults=None, latency_s=0.0, seed=1, log=None, retry_after="0.1", status=None):
        self.faults, self.latency_s, self.seed = faults or {}, latency_s, seed
        self.retry_after, self.status = retry_after, status
        self.log = log
        self.n_asked = self.n_answered = 0
        self.in_flight = self.most_in_flight = 0
        self.came = Counter()
        self.kinds = Counter()
        self.keys = set()
        self.times = []
        self.bodies = []

    async def serve(self, ready):
        server = await asyncio.start_server(self._client, "127.0.0.1", 0, backlog=512)
        ready(server.sockets[0].getsockname()[1])
        async with server:
            await server.serve_forever()

    async def _client(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:] if ": " in line)
                fields = {name.lower(): value for name, value in fields.items()}
                body = json.loads(await reader.readexactly(int(fields["content-length"])))
                self.in_flight += 1
                self.most_in_flight = max(self.in_flight, self.most_in_flight)
                try:
                    data, closes = await self._reply(body, fields.get("authorization", ""))
                finally:
                    self.in_flight -= 1
                writer.write(data)
                await writer.drain()
                if closes:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _reply(self, body, key):
        self.n_asked += 1
        self.keys.add(key)
        self.times.append(asyncio.get_running_loop().time())
        self.bodies.append(body)
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        self.came[digest] += 1
        kind = self._kind(random.Random(f"{self.seed}:{digest}:{self.came[digest]}").random())
        self.kinds[kind] += 1
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        if self.status:
            return error(self.status, f"no, {key}"), False
        if kind not in WELL:
            self._note(body, None, kind)
        return await getattr(self, f"_{kind}")(body, key)

    def _kind(self, draw):
        for kind, share in self.faults.items():
            draw -= share
            if draw < 0:
                return kind
        return "well"

    def _note(self, body, text, kind="well"):
        self.n_answered += kind == "well"
        if self.log:
            line = {"messages": body["messages"], "seed": body.get("seed"), "text": text, "kind": kind}
            self.log.write(json.dumps(line) + "\n")
            self.log.flush()

    async def _well(self, body, _key):
        text = answer_text(body)
        self._note(body, text)
        return reply(200, completion(body, text)), False

    async def _empty(self, body, _key):
        self._note(body, " ")
        return reply(200, completion(body, " ")), False

    async def _slow(self, body, key):
        await asyncio.sleep(SLOW_S)
        return await self._well(body, key)

    async def _hang(self, _body, _key):
        await asyncio.sleep(3600)

    async def _dropped(self, _body, _key):
        return b"", True

    async def _rate_limited(self, _body, _key):
        return error(429, "slow down", *([f"Retry-After: {self.retry_after}"] if self.retry_after else [])), False

    async def _rate_limited_date(self, _body, _key):
        return error(429, "slow down", "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT"), False

    async def _server_error(self, _body, key):
        return error(503, f"overloaded, {key}"), False

    async def _cut_body(self, body, _key):
        whole = completion(body, "cut")
        return reply(200, whole[:-20], length=len(whole)), True

    async def _cut_json(self, body, _key):
        return reply(200, completion(body, "cut")[:-20]), False

    async def _html(self, _body, _key):
        return reply(200, HTML, kind="text/html"), False

    async def _null_content(self, body, _key):
        return reply(200, completion(body, None)), False

    async def _refused(self, body, _key):
        return reply(200, completion(body, None, refusal="I cannot help with that")), False

    async def _error_in_body(self, _body, key):
        return reply(200, json.dumps({"error": {"message": f"upstream failed, {key}"}}).encode()), False

    async def _no_choices(self, _body, _key):
        return reply(200, b'{"id": "c", "choices": []}'), False

    async def _echo_key(self, body, key):
        return reply(200, completion(body, f"your key is {key}")), False


@contextlib.contextmanager
def running(**settings):
    """Run a server on a thread of its own; yields it, with its address as `url`."""
    server, loop = ChaosServer(**settings), asyncio.new_event_loop()
    is_ready = threading.Event()

    def ready(port):
        server.url = f"http://127.0.0.1:{port}/v1"
        is_ready.set()

    async def serve():
        server.task = asyncio.current_task()
        with contextlib.suppress(asyncio.CancelledError):
            await server.serve(ready)
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert is_ready.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(server.task.cancel)
        thread.join(10)
        loop.close()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--log", type=Path)
    options.add_argument("--latency", type=float, default=0.0)
    options.add_argument("--faults", action="store_true")
    options.add_argument("--seed", type=int, default=1)
    asked = options.parse_args()
    log = asked.log.open("a") if asked.log else None
    server = ChaosServer(faults=FAULTS if asked.faults else None, latency_s=asked.latency, seed=asked.seed, log=log)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(server.serve(lambda port: print(port, flush=True)))


if __name__ == "__main__":
    main()
