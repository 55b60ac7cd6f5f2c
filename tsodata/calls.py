"""Calls to models as the store keeps them, and the key of a request: what makes an answer the same answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from tsodata.engines.protocol import Engine, ModelIdentity, Sampling
from tsodata.provenance import content_key, stream_seed
from tsodata.records import Message, Record
from tsodata.runner import Ended
from tsodata.store import Reader

_SEED_BITS = 31  # what every server takes


@dataclass(frozen=True, slots=True)
class Call(Record):
    """One attempt that ended: an accepted answer, or a failure and its kind."""

    table: ClassVar[str] = "calls"
    call_key: int
    request_key: int
    task: str
    engine: str
    endpoint: str | None
    model: str
    attempt: int
    prompt_key: int
    response_key: int | None = None
    judgement_key: int | None = None
    settings_key: int | None = None  # generate: which says whose answer it is, though the words are not new
    failure: str | None = None
    detail: str | None = None
    n_prompt_tokens: int | None = None
    n_completion_tokens: int | None = None
    seconds: float | None = None

    @classmethod
    def of(
        cls,
        ended: Ended,
        engine: Engine,
        *,
        run_key: int,
        task: str,
        prompt_key: int,
        response_key: int | None = None,
        judgement_key: int | None = None,
        settings_key: int | None = None,
    ) -> Call:
        """Return the row of an attempt that ended; its key is of request, run and attempt."""
        answer, failure = ended.completion, ended.failure
        return cls(
            call_key=content_key("call", ended.request.key, run_key, ended.attempt),
            request_key=ended.request.key,
            task=task,
            engine=engine.name,
            endpoint=engine.endpoint,
            model=engine.identity.name,
            attempt=ended.attempt,
            prompt_key=prompt_key,
            response_key=response_key,
            judgement_key=judgement_key,
            settings_key=settings_key,
            failure=failure.kind.value if failure else None,
            detail=failure.detail if failure else None,
            n_prompt_tokens=answer.n_prompt_tokens if answer else None,
            n_completion_tokens=answer.n_completion_tokens if answer else None,
            seconds=answer.seconds if answer else None,
        )


@dataclass(frozen=True, slots=True)
class Reply(Record):
    """What is known of an accepted call besides its answer."""

    table: ClassVar[str] = "replies"
    call_key: int
    served_model: str | None
    prompt_sha256: str | None

    @classmethod
    def of(cls, call: Call, ended: Ended) -> Reply | None:
        """Return the row of an attempt that ended, or None where nothing is known."""
        answer = ended.completion
        if answer is None or (answer.served_model is None and answer.prompt_sha256 is None):
            return None
        return cls(call.call_key, answer.served_model, answer.prompt_sha256)


def request_key(
    identity: ModelIdentity,
    messages: Sequence[Message],
    sampling: Sampling,
    *,
    seed: int | None,
    sample_index: int = 0,
    who: int | None = None,
    rubric: Sequence[object] = (),
) -> int:
    """Return the key of everything that changes an answer, and of nothing else.

    `who` is the key of the cell that answers; `rubric` names what a judge is asked by: the rubric's key and the
    versions of its templates.
    """
    model = (identity.name, identity.revision, identity.template_sha256, identity.tokenizer_sha256)
    turns = tuple((message["role"], message["content"]) for message in messages)
    drawn = (
        float(sampling.temperature),
        float(sampling.top_p),
        sampling.max_tokens,
        sampling.stop,
        sampling.top_logprobs,
    )
    return content_key("request", model, turns, drawn, seed, sample_index, who, tuple(rubric))


def sample_seed(seed: int, prompt_key: int, sample_index: int) -> int:
    """Return the seed of one draw, of 31 bits: no two prompts or samples share a stream."""
    return stream_seed(seed, f"{prompt_key:016x}", sample_index) >> (64 - _SEED_BITS)


def done_requests(reader: Reader, task: str) -> set[int]:
    """Return the keys of the requests that have an accepted answer."""
    return {int(key) for (key,) in reader.rows("calls/done", task=task)}
