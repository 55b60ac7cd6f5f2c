"""What an engine is: requests in, for each a completion or a failure out. Knows no store and no retry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from tsodata.records import Message


class FailureKind(StrEnum):
    """Why a request gave no answer. None of them is ever an answer or a score."""

    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    CONNECTION = "connection"
    TIMEOUT = "timeout"
    CUT_BODY = "cut_body"  # JSON that breaks off
    NOT_JSON = "not_json"  # HTML or anything else with status 200
    ERROR_IN_BODY = "error_in_body"  # {"error": …} with status 200
    NO_CHOICES = "no_choices"
    NULL_CONTENT = "null_content"
    REFUSED = "refused"  # the provider's filter, or the model's own `refusal`
    TOO_LONG = "too_long"  # prompt and answer do not fit the context
    BAD_REQUEST = "bad_request"
    UNAUTHORISED = "unauthorised"  # 401 and 403: nothing else will work either


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an answer is drawn. Defaults: App. C.3 of the paper, temperature 0.7, top-p 0.9, 2048 tokens."""

    temperature: float = 0.7
    top_p: float = 0.9
    max_tokens: int = 2048
    stop: tuple[str, ...] = ()
    top_logprobs: int | None = None  # of each token, for one-token preferences


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which weights answer, as far as the engine can know: an endpoint tells a name, a folder its hashes."""

    name: str
    revision: str | None = None  # a hub commit, or the sha256 of a folder's weights
    template_sha256: str | None = None
    tokenizer_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One thing to ask. `key` is the content key of everything that changes the answer, and of nothing else."""

    key: int
    messages: tuple[Message, ...]
    sampling: Sampling
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """The answer to a request, with what the engine says of it."""

    text: str
    finish_reason: str | None = None
    n_prompt_tokens: int | None = None
    n_completion_tokens: int | None = None
    prompt_sha256: str | None = None  # of the rendered prompt, where this side renders it
    top_logprobs: tuple[dict[str, float], ...] | None = None  # per token: text -> log-probability in nats
    served_model: str | None = None  # the name in the reply
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer, in one line, and how long the other side asks to be left alone."""

    kind: FailureKind
    detail: str
    retry_after_s: float | None = None


class Engine(Protocol):
    """One model that answers: up to `batch_size` requests a call, up to `max_concurrency` calls at once."""

    name: str  # openai, vllm, transformers
    identity: ModelIdentity
    endpoint: str | None  # without credentials; None for an engine of this process
    batch_size: int
    max_concurrency: int

    async def complete(self, requests: Sequence[Request]) -> Sequence[Completion | Failure]:
        """Return one completion or failure per request, in their order. Raises only for our own mistakes."""
        ...

    async def close(self) -> None:
        """Give back what it holds: connections, a subprocess, memory."""
        ...
