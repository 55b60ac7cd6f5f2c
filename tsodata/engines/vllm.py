"""vLLM's offline engine: the model lives in a process of its own, whose memory is back when it ends.

Its interpreter may be another one, as vLLM wants its own versions of everything. Prompts are rendered here, so that
they are the same to the token as those of the other engines. With `data_parallel` there are several such processes,
each with its share of the GPUs. A process that dies fails what it was asked, and is started again; if it dies twice
without an answer in between, what is left fails without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsodata.engines import vllm_worker
from tsodata.engines.children import Child, check_interpreter
from tsodata.engines.options import EngineOptions
from tsodata.engines.protocol import Completion, Failure, FailureKind, Request
from tsodata.engines.settings import read_settings
from tsodata.engines.templates import ChatTemplate, ModelFiles, RenderedPrompt, find_model, fitted_prompt, identify
from tsodata.errors import UsageError

MAX_LOGPROBS = 100  # ours; vLLM takes 20 unless told
_MOST_DEATHS = 1  # without an answer in between: it is started once more
_END_S = 4.0  # to end by itself, once told
_GPUS = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True, slots=True)
class VllmSettings:
    """What may be said about a model in vLLM's process; what is not said is vLLM's to choose."""

    python: str | None = None  # the interpreter that has vLLM; this one, if it has
    tensor_parallel: int = 1
    data_parallel: int = 1
    dtype: str | None = None
    max_model_len: int | None = None
    gpu_memory_utilization: float | None = None
    enforce_eager: bool = False
    batch_size: int = 256  # ours: requests of one call, which vLLM batches as it can
    trust_remote_code: bool = False

    def arguments(self, files: ModelFiles) -> dict[str, object]:
        """Return the arguments of `vllm.LLM`."""
        said = {
            "dtype": self.dtype,
            "max_model_len": self.max_model_len,
            "gpu_memory_utilization": self.gpu_memory_utilization,
        }
        return {
            "model": str(files.folder),
            "load_format": "safetensors",
            "trust_remote_code": files.trust_remote_code,
            "tensor_parallel_size": self.tensor_parallel,
            "enforce_eager": self.enforce_eager,
            "max_logprobs": MAX_LOGPROBS,
            **{name: value for name, value in said.items() if value is not None},
        }


def make(model: str, options: EngineOptions) -> VllmEngine:
    """Return the engine of a folder, or of a name in the local cache; its process starts when it is first asked.

    Raises:
        UsageError: no interpreter has vLLM, or the model is not usable.
    """
    settings = read_settings(VllmSettings, options.settings, engine="vllm")
    files = find_model(model, revision=options.revision, trust_remote_code=settings.trust_remote_code)
    return VllmEngine(files, settings, python=find_python(settings.python))


def find_python(python: str | None) -> str:
    """Return the interpreter that runs vLLM.

    Raises:
        UsageError: there is none.
    """
    if python is not None:
        check_interpreter(python, what="vLLM")
        return str(Path(python).absolute())  # not resolved: the link is what makes it the environment's
    if importlib.util.find_spec("vllm") is None:
        raise UsageError("vLLM is not installed here; name the interpreter that has it: python=PATH (docs/engines.md)")
    return sys.executable


class VllmEngine:
    """One model in vLLM, in as many processes as `data_parallel` says; each answers one call at a time."""

    name = "vllm"
    endpoint: str | None = None

    def __init__(self, files: ModelFiles, settings: VllmSettings, *, python: str) -> None:
        self.template = ChatTemplate.load(files)
        self.identity = identify(files, self.template)
        self.batch_size, self.max_concurrency = settings.batch_size, settings.data_parallel
        arguments = settings.arguments(files)
        self._replicas = [_Replica(python, arguments, env) for env in _shares_of_gpus(settings)]
        self._idle = list(self._replicas)

    async def complete(self, requests: Sequence[Request]) -> Sequence[Completion | Failure]:
        """Return one completion or failure per request; a call that is cancelled ends the process.

        Raises:
            UsageError: the model cannot be loaded.
        """
        assert self._idle, "more calls at once than processes"
        replica = self._idle.pop()
        try:
            return await asyncio.to_thread(self._complete, replica, requests)
        except asyncio.CancelledError:
            await asyncio.to_thread(replica.stop, patience_s=0.0)
            raise
        finally:
            self._idle.append(replica)

    async def close(self) -> None:
        """End the processes."""
        for replica in self._replicas:
            await asyncio.to_thread(replica.stop)

    def _complete(self, replica: _Replica, requests: Sequence[Request]) -> list[Completion | Failure]:
        if failure := replica.start():
            return [failure] * len(requests)
        prompts = [fitted_prompt(self.template, request, replica.context) for request in requests]
        bodies = [
            _body(request, prompt)
            for request, prompt in zip(requests, prompts, strict=True)
            if isinstance(prompt, RenderedPrompt)
        ]
        started_at = time.monotonic()
        answers = replica.ask(bodies) if bodies else []
        seconds = time.monotonic() - started_at
        if isinstance(answers, Failure):
            return [prompt if isinstance(prompt, Failure) else answers for prompt in prompts]
        said = iter(answers)
        return [p if isinstance(p, Failure) else self._completion(p, next(said), seconds) for p in prompts]

    def _completion(self, prompt: RenderedPrompt, said: Mapping[str, Any], seconds: float) -> Completion | Failure:
        if "error" in said:
            return Failure(FailureKind.BAD_REQUEST, said["error"])
        return Completion(
            text=said["text"],
            finish_reason=said["finish_reason"],
            n_prompt_tokens=len(prompt.ids),
            n_completion_tokens=said["n_tokens"],
            prompt_sha256=prompt.sha256,
            top_logprobs=tuple(said["top"]) if said["top"] is not None else None,
            served_model=self.identity.name,
            seconds=seconds,
        )


class _Replica:
    """A process with the model, started when it is first asked. `context` is known once it has started."""

    def __init__(self, python: str, arguments: Mapping[str, object], env: Mapping[str, str]) -> None:
        self.context: int | None = None
        self._python, self._arguments, self._env = python, arguments, env
        self._child: Child | None = None
        self._channel: socket.socket | None = None
        self._died: Failure | None = None
        self.n_deaths = 0  # since it last answered

    def start(self) -> Failure | None:
        """Start the process unless it runs; return why not, where it died twice without an answer.

        Raises:
            UsageError: the model cannot be loaded.
        """
        if self._child is not None:
            return None
        if self.n_deaths > _MOST_DEATHS:
            return self._died
        ours, theirs = socket.socketpair()
        with theirs:
            command = [self._python, vllm_worker.__file__, str(theirs.fileno())]
            self._child, self._channel = Child(command, name="vllm", env=self._env, pass_fd=theirs.fileno()), ours
        reply, child = self._exchange(self._arguments), self._child
        if child is None:
            return Failure(FailureKind.CONNECTION, "the engine was closed")
        if reply and "context" in reply:
            self.context = reply["context"]
            return None
        said = reply["error"] if reply else child.last_words()
        log = self._buried(child)
        if self._died:
            self.n_deaths += 1
            return Failure(FailureKind.CONNECTION, f"vLLM does not start again: {said} (log: {log})")
        raise UsageError(f"{self._arguments['model']}: vLLM cannot load it: {said} (log: {log})")

    def ask(self, bodies: Sequence[Mapping[str, object]]) -> list[dict[str, Any]] | Failure:
        """Return the answers to requests in their order, or why there are none."""
        reply, child = self._exchange({"requests": bodies}), self._child
        if child is None:
            return Failure(FailureKind.CONNECTION, "the engine was closed")
        if reply is None:
            child.wait(_END_S)
            said, code = child.last_words(), child.exit_code
            detail = f"vLLM ended (exit code {code}): {said} (log: {self._buried(child)})"
            self.n_deaths += 1
            self._died = Failure(FailureKind.CONNECTION, detail)
            return self._died
        self._died, self.n_deaths = None, 0
        answers: list[dict[str, Any]] = reply["answers"]
        return answers

    def stop(self, *, patience_s: float = _END_S) -> None:
        """End the process, if there is one; what it is asked fails."""
        child, channel = self._child, self._channel
        self._child = self._channel = None
        if channel is not None:
            with contextlib.suppress(OSError):
                channel.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits for an answer, and tells the process
            channel.close()
        if child is not None:
            child.wait(patience_s)
            child.stop()

    def _buried(self, child: Child) -> Path:
        """End what is left of a process, and return its log, which stays."""
        child.keeps_log = True
        self.stop()
        return child.log

    def _exchange(self, line: Mapping[str, object]) -> dict[str, Any] | None:
        """Return the reply to a line, or None where the process is gone."""
        channel = self._channel
        if channel is None:
            return None
        try:
            channel.sendall(f"{json.dumps(line)}\n".encode())
            with channel.makefile("r", encoding="utf-8") as lines:
                text = lines.readline()
        except OSError:
            return None
        return json.loads(text) if text.endswith("\n") else None


def _body(request: Request, prompt: RenderedPrompt) -> dict[str, object]:
    sampling = request.sampling
    return {
        "ids": prompt.ids,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
        "stop": sampling.stop,
        "top_logprobs": sampling.top_logprobs,
        "seed": request.seed,
    }


def _shares_of_gpus(settings: VllmSettings) -> list[dict[str, str]]:
    """Return the environment of each process: which GPUs it sees, where they are shared out.

    Raises:
        UsageError: fewer GPUs are visible than they need.
    """
    if settings.data_parallel == 1:
        return [{}]
    n_gpus, n_each = settings.data_parallel * settings.tensor_parallel, settings.tensor_parallel
    visible = [name for name in os.environ.get(_GPUS, "").split(",") if name] or [str(n) for n in range(n_gpus)]
    if len(visible) < n_gpus:
        raise UsageError(f"engine vllm needs {n_gpus} GPUs, and {_GPUS} shows {len(visible)}; lower data-parallel")
    return [{_GPUS: ",".join(visible[start : start + n_each])} for start in range(0, n_gpus, n_each)]
