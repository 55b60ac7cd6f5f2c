"""What a cell lacks, as requests: one per prompt and sample, in waves, because a dialogue's turns need those before.

Keys are planned at once, texts are read in slices as they are needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

from tsodata.builds.minibatches import find_minibatch
from tsodata.calls import request_key, sample_seed
from tsodata.engines.protocol import ModelIdentity, Request
from tsodata.errors import UnknownNameError
from tsodata.generating.asking import Ask
from tsodata.records import Message, Prompt, Response
from tsodata.runner import Ended
from tsodata.store import Reader, Store

SLICE = 500
NO_EARLIER_ANSWER = "no_earlier_answer"


class Slot(NamedTuple):
    """A draw of a cell: which prompt, and which sample."""

    prompt_key: int
    sample_index: int


Beside: TypeAlias = Callable[[Ask, str | None], Mapping[Slot, Response]]  # at a revision of the model


class Draw(NamedTuple):
    """What a request is to fill. `messages` are the prompt's, its own turns still open."""

    slot: Slot
    messages: tuple[Message, ...]
    seed: int
    previous_key: int | None


class _Lack(NamedTuple):
    """A draw that is not there, or older than its policy; how long its prompt is."""

    slot: Slot
    is_stale: bool
    n_chars: int


class _Earlier(NamedTuple):
    """A cell's answer to an earlier turn."""

    response_key: int
    prompt_key: int
    text: str
    previous_key: int | None


def _nothing(_ask: Ask, _revision: str | None) -> Mapping[Slot, Response]:
    return {}


class Plan:
    """What one cell lacks. `draws` are the requests that are planned and not answered yet; `skipped` counts reasons."""

    def __init__(self, store: Store, ask: Ask) -> None:
        """Plan a cell.

        Raises:
            UnknownNameError: no prompt comes from the data set, or there is none, or no such build.
            UsageError: the build has no such minibatch.
        """
        self.ask, self.draws, self.skipped = ask, dict[int, Draw](), Counter[str]()
        self.identity = ModelIdentity(ask.model, revision=ask.options.revision)
        self._store, self._beside, self._by_depth = store, dict[Slot, Response](), dict[int, list[_Lack]]()
        with store.reader() as reader:
            _require_prompts(reader, ask.dataset)
            self._policy = reader.rows("generating/policy", source=ask.source.source_key)
            missing = reader.arrow(
                "generating/missing",
                source=ask.source.source_key,
                dataset=ask.dataset,
                build=find_minibatch(reader, ask.build, ask.minibatch) if ask.build and ask.minibatch else None,
                minibatch=ask.minibatch,
                n_samples=ask.n_samples,
                shard=ask.shard.position,
                n_shards=ask.shard.n_shards,
            )
        for row in missing.to_pylist():
            lack = _Lack(Slot(row["prompt_key"], row["sample_index"]), row["is_stale"], row["n_chars"])
            self._by_depth.setdefault(row["n_open"], []).append(lack)

    def answer_by(self, identity: ModelIdentity, beside: Beside = _nothing) -> Plan:
        """Say which model answers, and leave out what is kept elsewhere than in the store; return this plan.

        An endpoint does not tell which weights it serves: where a stage made them, the store knows.
        """
        revision = identity.revision or (self._policy[0][0] if self._policy else None)
        self.identity = replace(identity, revision=revision)
        self._beside = dict(beside(self.ask, revision))
        for depth, lacks in self._by_depth.items():
            self._by_depth[depth] = [lack for lack in lacks if lack.slot not in self._beside]
        return self

    @property
    def n_planned(self) -> int:
        """Return how many draws are planned."""
        return sum(map(len, self._by_depth.values()))

    @property
    def n_stale(self) -> int:
        """Return how many of them are there already, older than the policy."""
        return sum(lack.is_stale for lacks in self._by_depth.values() for lack in lacks)

    @property
    def n_chars(self) -> int:
        """Return how many characters their prompts have."""
        return sum(lack.n_chars for lacks in self._by_depth.values() for lack in lacks)

    @property
    def n_prompts(self) -> int:
        """Return how many prompts lack a draw."""
        return len({lack.slot.prompt_key for lacks in self._by_depth.values() for lack in lacks})

    def waves(self) -> Iterator[Iterator[Request]]:
        """Yield the requests, prompts without open turns first; each wave wants the answers of those before."""
        for _, lacks in sorted(self._by_depth.items()):
            yield self._wave([lack.slot for lack in lacks])

    def kept(self, slot: Slot, response: Response) -> None:
        """Take note of an answer that is kept elsewhere than in the store."""
        self._beside[slot] = response

    def forget(self, batch: Iterable[Ended]) -> None:
        """Drop the draws of a batch that are answered."""
        for ended in batch:
            if ended.completion:
                self.draws.pop(ended.request.key, None)

    def _wave(self, slots: Sequence[Slot]) -> Iterator[Request]:
        for start in range(0, len(slots), SLICE):
            some = slots[start : start + SLICE]
            with self._store.reader() as reader:
                prompts = _messages(reader, some)
                earlier = self._earlier(reader, prompts.values())
            for slot in some:
                request = self._request(slot, prompts[slot.prompt_key], earlier)
                if request:
                    yield request

    def _request(
        self, slot: Slot, messages: tuple[Message, ...], earlier: Mapping[Slot, list[_Earlier]]
    ) -> Request | None:
        filled = _filled(messages, slot.sample_index, earlier)
        if filled is None:
            self.skipped[NO_EARLIER_ANSWER] += 1
            return None
        said, previous_key = filled
        ask = self.ask
        seed = sample_seed(ask.seed, slot.prompt_key, slot.sample_index)
        key = request_key(
            self.identity,
            said,
            ask.sampling,
            seed=seed,
            sample_index=slot.sample_index,
            who=ask.source.source_key,
        )
        self.draws[key] = Draw(slot, messages, seed, previous_key)
        return Request(key, said, ask.sampling, seed)

    def _earlier(self, reader: Reader, prompts: Any) -> dict[Slot, list[_Earlier]]:
        """Return the cell's answers to all beginnings of these prompts that end before an open turn, newest first."""
        keys = sorted({Prompt(part).prompt_key for messages in prompts for part in _beginnings(messages)})
        found: dict[Slot, list[_Earlier]] = {}
        if not keys:
            return found
        for key in keys:
            for sample in range(self.ask.n_samples):
                if response := self._beside.get(Slot(key, sample)):
                    kept = _Earlier(response.response_key, key, response.text, response.previous_key)
                    found.setdefault(Slot(key, sample), []).append(kept)
        rows = reader.rows("generating/answers", source=self.ask.source.source_key, prompts=keys)
        for response_key, prompt_key, sample, text, previous_key, is_stale in rows:
            slot = Slot(prompt_key, sample)
            if not is_stale:
                found.setdefault(slot, []).append(_Earlier(response_key, prompt_key, text, previous_key))
        return found


def _require_prompts(reader: Reader, dataset: str | None) -> None:
    if not reader.rows("matrix/n_prompts", dataset=dataset)[0][0]:
        what = f"no prompt comes from a data set {dataset!r}" if dataset else "the store has no prompts"
        raise UnknownNameError(f"{what}; import some first: tso-data import FORMAT PATH…")


def _messages(reader: Reader, slots: Sequence[Slot]) -> dict[int, tuple[Message, ...]]:
    keys = sorted({slot.prompt_key for slot in slots})
    return {key: tuple(messages) for key, messages in reader.rows("generating/prompts", prompts=keys)}


def _beginnings(messages: Sequence[Message]) -> Iterator[tuple[Message, ...]]:
    """Yield what stands before each open turn."""
    for position, message in enumerate(messages):
        if message["content"] is None:
            yield tuple(messages[:position])


def _filled(
    messages: tuple[Message, ...], sample_index: int, earlier: Mapping[Slot, list[_Earlier]]
) -> tuple[tuple[Message, ...], int | None] | None:
    """Return the messages with the cell's own answers in the open turns, and the key of the last of those.

    Each answer is the one that the answer after it was given to; None where one of them is not there.
    """
    said = list(messages)
    previous_key: int | None = None
    wanted: int | None = None
    for beginning in reversed(list(_beginnings(messages))):
        slot = Slot(Prompt(beginning).prompt_key, sample_index)
        found = [answer for answer in earlier.get(slot, []) if wanted is None or answer.response_key == wanted]
        if not found or (previous_key is not None and wanted is None):
            return None
        said[len(beginning)] = {"role": "assistant", "content": found[0].text}
        previous_key = previous_key or found[0].response_key
        wanted = found[0].previous_key
    return tuple(said), previous_key
