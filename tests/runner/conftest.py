"""An engine that does what a test says, on the real runner."""

import asyncio
from dataclasses import dataclass, field

import pytest

from tsodata.engines.protocol import Completion, Failure, ModelIdentity, Request, Sampling
from tsodata.runner import Limits, run_waves


@dataclass
class Scripted:
    """Answers by a function of the request's key and how often it came."""

    does: object
    batch_size: int = 1
    max_concurrency: int = 1000
    latency_s: float = 0.0
    name: str = "scripted"
    endpoint: str | None = None
    tokens: tuple = (3, 2)
    identity: ModelIdentity = field(default_factory=lambda: ModelIdentity("m"))
    came: list = field(default_factory=list)
    batches: list = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    is_closed: bool = False

    async def complete(self, requests):
        self.batches.append(len(requests))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        results = []
        for request in requests:
            self.came.append(request.key)
            results.append(self.does(request.key, self.came.count(request.key)))
        await asyncio.sleep(self.latency_s)
        self.in_flight -= 1
        return [result if isinstance(result, Failure) else Completion(result, None, *self.tokens) for result in results]

    async def close(self):
        self.is_closed = True


def planned(keys):
    for key in keys:
        yield Request(key, ({"role": "user", "content": f"{key}"},), Sampling())


class Kept(list):
    """Batches as they were kept."""

    def __call__(self, batch):
        self.append(list(batch))

    @property
    def ended(self):
        return [ended for batch in self for ended in batch]

    @property
    def answers(self):
        return {ended.request.key: ended.completion.text for ended in self.ended if ended.completion}


@pytest.fixture
def ask():
    """Ask for the answers to keys, or to several waves of them; return the sums, what was kept, and the engine."""

    def run(keys, does, *, keep=None, tell=lambda _: None, limits=None, **settings):
        waves = [keys] if not keys or isinstance(keys[0], int) else keys
        engine, kept = Scripted(does, **settings), Kept()
        sums = run_waves(
            map(planned, waves), engine, kept if keep is None else keep, limits=Limits(**(limits or {})), tell=tell
        )
        return sums, kept, engine

    return run


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr("tsodata.runner.running._FIRST_PAUSE_S", 0.01)
