"""Models in this process, on its GPU or its CPU: for small ones, and where nothing else is installed.

A call's requests are sorted by length and answered in batches of bounded size. How tokens are drawn is told in
`decoding`; here are loading, batching, and turning trouble into failures.
"""

from __future__ import annotations

import asyncio
import importlib.util
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tsodata.engines.options import EngineOptions
from tsodata.engines.protocol import Completion, Failure, FailureKind, Request
from tsodata.engines.settings import read_settings
from tsodata.engines.templates import (
    ChatTemplate,
    ModelFiles,
    RenderedPrompt,
    find_model,
    first_line,
    fitted_prompt,
    identify,
)
from tsodata.errors import UsageError

if TYPE_CHECKING:
    import torch

    from tsodata.engines.decoding import Row

_DTYPES = ("auto", "float32", "bfloat16", "float16")


@dataclass(frozen=True, slots=True)
class TransformersSettings:
    """What may be said about a model in this process."""

    device: str | None = None  # the GPU where there is one
    dtype: str = "auto"  # bfloat16 where the hardware computes in it, else float32
    batch_size: int = 64  # ours: requests of one call
    batch_tokens: int = 65536  # ours: rows times the longest prompt and answer, what a batch's cache has room for
    trust_remote_code: bool = False


def make(model: str, options: EngineOptions) -> TransformersEngine:
    """Return the engine of a folder, or of a name in the local cache; its weights are loaded when it is first asked.

    Raises:
        UsageError: torch or transformers is missing, or the model is not usable.
    """
    if options.endpoint:
        raise UsageError("engine transformers runs in this process and takes no endpoint; leave it out")
    settings = read_settings(TransformersSettings, options.settings, engine="transformers")
    if settings.dtype not in _DTYPES:
        raise UsageError(f"engine transformers: dtype={settings.dtype} is none of {', '.join(_DTYPES)}")
    missing = [name for name in ("torch", "transformers", "safetensors") if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(f"engine transformers needs {missing[0]}; install tso[transformers]")
    files = find_model(model, revision=options.revision, trust_remote_code=settings.trust_remote_code)
    return TransformersEngine(files, settings)


class TransformersEngine:
    """One model in this process. One call is answered at a time."""

    name = "transformers"
    endpoint: str | None = None
    max_concurrency = 1

    def __init__(self, files: ModelFiles, settings: TransformersSettings) -> None:
        self.template = ChatTemplate.load(files)
        self.identity = identify(files, self.template)
        self.batch_size = settings.batch_size
        self._files, self._settings = files, settings
        self._loaded: _Loaded | None = None
        self._stopped, self._turn = threading.Event(), threading.Lock()

    async def complete(self, requests: Sequence[Request]) -> Sequence[Completion | Failure]:
        """Return one completion or failure per request; when cancelled, the batch at work ends at its next token."""
        try:
            return await asyncio.to_thread(self._complete, requests)
        except asyncio.CancelledError:
            self._stopped.set()
            raise

    async def close(self) -> None:
        """Give the memory back; a batch at work ends at its next token."""
        self._stopped.set()
        await asyncio.to_thread(self._unload)

    def _unload(self) -> None:
        with self._turn:
            if self._loaded is None:
                return
            import torch

            self._loaded = None
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def _complete(self, requests: Sequence[Request]) -> list[Completion | Failure]:
        from tsodata.engines.decoding import DecodingStoppedError

        with self._turn:
            self._stopped.clear()
            self._loaded = self._loaded or _Loaded.load(self._files, self._settings)
            results: dict[int, Completion | Failure] = {}
            fitting: dict[int, _Asked] = {}
            for place, request in enumerate(requests):
                prompt = fitted_prompt(self.template, request, self._loaded.context)
                if isinstance(prompt, Failure):
                    results[place] = prompt
                else:
                    fitting[place] = _Asked(request, prompt)
            try:
                for places in batches_by_length(fitting, batch_tokens=self._settings.batch_tokens):
                    answers = self._answer(self._loaded, [fitting[place] for place in places])
                    results.update(zip(places, answers, strict=True))
            except DecodingStoppedError:
                gone = Failure(FailureKind.CONNECTION, "the engine was closed")
                results = {place: results.get(place, gone) for place in range(len(requests))}
            return [results[place] for place in range(len(requests))]

    def _answer(self, loaded: _Loaded, asked: Sequence[_Asked]) -> list[Completion | Failure]:
        """Return what comes of a batch; one that does not fit the memory is halved."""
        import torch

        started_at = time.monotonic()
        rows = [one.row() for one in asked]
        try:
            loaded.decode(rows, self.template, self._stopped)
        except torch.OutOfMemoryError as error:
            if len(asked) == 1:
                return [Failure(FailureKind.TOO_LONG, f"it does not fit the device's memory: {first_line(error)}")]
            middle = len(asked) // 2
            return [*self._answer(loaded, asked[:middle]), *self._answer(loaded, asked[middle:])]
        except RuntimeError as error:
            return [Failure(FailureKind.SERVER_ERROR, first_line(error))] * len(asked)
        seconds = time.monotonic() - started_at
        return [self._completion(one, row, seconds) for one, row in zip(asked, rows, strict=True)]

    def _completion(self, one: _Asked, row: Row, seconds: float) -> Completion | Failure:
        if row.is_broken:
            return Failure(FailureKind.SERVER_ERROR, "the model's logits are not numbers; try dtype=float32")
        return Completion(
            text=row.text,
            finish_reason=row.finish_reason,
            n_prompt_tokens=len(row.prompt),
            n_completion_tokens=len(row.answer),
            prompt_sha256=one.prompt.sha256,
            top_logprobs=self.template.named(row.top) if one.request.sampling.top_logprobs else None,
            served_model=self.identity.name,
            seconds=seconds,
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request with its prompt as the model reads it."""

    request: Request
    prompt: RenderedPrompt

    @property
    def n_tokens(self) -> int:
        """Return the tokens that it may take up."""
        return len(self.prompt.ids) + self.request.sampling.max_tokens

    def row(self) -> Row:
        """Return it at the start of its answer."""
        from tsodata.engines.decoding import Row

        return Row.of(self.prompt.ids, self.request.sampling, self.request.seed)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """Weights in memory, and what the model's configuration says of prompts and answers."""

    model: Any
    ends: frozenset[int]
    context: int | None

    @classmethod
    def load(cls, files: ModelFiles, settings: TransformersSettings) -> _Loaded:
        """Return a model on its device.

        Raises:
            UsageError: it cannot be loaded.
        """
        import torch
        from transformers import AutoModelForCausalLM
        from transformers.utils import logging

        device = torch.device(settings.device or ("cuda" if torch.cuda.is_available() else "cpu"))
        dtype = native_dtype(device) if settings.dtype == "auto" else getattr(torch, settings.dtype)
        logging.disable_progress_bar()
        try:
            model: Any = AutoModelForCausalLM.from_pretrained(
                files.folder,
                dtype=dtype,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=files.trust_remote_code,
            )
            model.to(device)
        except Exception as error:  # transformers raises whatever the files provoke
            raise UsageError(f"{files.folder}: the model cannot be loaded: {first_line(error)}") from error
        model.eval()
        said = model.generation_config.eos_token_id
        ends = said if isinstance(said, list) else [said]
        context = getattr(model.config.get_text_config(), "max_position_embeddings", None)
        return cls(model, frozenset(end for end in ends if end is not None), context)

    def decode(self, rows: Sequence[Row], template: ChatTemplate, stopped: threading.Event) -> None:
        """Answer rows as one batch."""
        from tsodata.engines.decoding import decode_rows

        ends = self.ends if template.end is None else self.ends | {template.end}
        decode_rows(self.model, rows, ends=ends, decode=template.decode, is_stopped=stopped.is_set)


def native_dtype(device: torch.device) -> torch.dtype:
    """Return bfloat16 where the hardware computes in it, else float32."""
    import torch

    if device.type == "cuda":
        has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        has_bf16 = device.type == "cpu" and torch.backends.cpu.get_cpu_capability() == "AMX"
    return torch.bfloat16 if has_bf16 else torch.float32


def batches_by_length(asked: Mapping[int, _Asked], *, batch_tokens: int) -> Iterator[list[int]]:
    """Yield the places of requests, shortest prompts first, so many at once as the tokens have room for."""
    batch: list[int] = []
    longest = 0
    for place in sorted(asked, key=lambda place: (len(asked[place].prompt.ids), place)):
        longest = max(longest, asked[place].n_tokens)
        if batch and (len(batch) + 1) * longest > batch_tokens:
            yield batch
            batch, longest = [], asked[place].n_tokens
        batch.append(place)
    if batch:
        yield batch
