"""A server for one model on this machine: started, waited for until it is healthy, and stopped with all it started.

What is served is a folder of links to the model's files beside generation settings of ours: a server takes what a
request does not say from the model's own, a penalty or top-k among them, and `transformers serve` draws nothing at all
unless they say so. Then an answer's recorded sampling is all of its sampling. Servers listen on 127.0.0.1 alone.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import shutil
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsodata.engines.children import Child, check_interpreter
from tsodata.engines.templates import ModelFiles
from tsodata.errors import UsageError

SERVERS = ("vllm", "transformers")
HOST = "127.0.0.1"
_POLL_S = 0.25
_REPLY_S = 10.0
_SETTINGS = "generation_config.json"
_ENDS = ("bos_token_id", "eos_token_id", "pad_token_id")


@dataclass(frozen=True, slots=True)
class ServingSettings:
    """How to serve a model; the settings below `start_timeout` are vLLM's alone."""

    server: str | None = None  # vllm where it is, else transformers
    python: str | None = None  # the interpreter that has it; this one, if it has
    port: int | None = None  # a free one
    start_timeout: float = 900.0  # ours: seconds until it must be healthy
    trust_remote_code: bool = False
    dtype: str | None = None
    tensor_parallel: int = 1
    data_parallel: int = 1
    max_model_len: int | None = None
    gpu_memory_utilization: float | None = None
    enforce_eager: bool = False


class Server:
    """A running server. `model` is the name that it goes by there."""

    def __init__(self, files: ModelFiles, settings: ServingSettings) -> None:
        """Prepare one, and start nothing.

        Raises:
            UsageError: there is no such server, or no interpreter has it.
        """
        self.kind, self._python = _find_server(settings)
        self._files, self._settings = files, settings
        self._folder: Path | None = None
        self._child: Child | None = None
        self.endpoint, self.model = "", ""

    @property
    def log(self) -> Path | None:
        """Return the file that it writes to, while it runs."""
        return self._child.log if self._child else None

    def start(self) -> None:
        """Start it and wait until it is healthy.

        Raises:
            UsageError: it ends, or is not healthy in time; the message names its log.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="tso-serving-"))
        link_model(self._files.folder, self._folder / "model")
        (self._folder / "hub").mkdir()
        port = self._settings.port or free_port()
        self.endpoint = f"http://{HOST}:{port}/v1"
        self.model = self._files.name if self.kind == "vllm" else str(self._folder / "model")
        command = [self._python, *_command(self.kind, self._folder / "model", self.model, port, self._settings)]
        env = {"HF_HUB_CACHE": str(self._folder / "hub")} if self.kind == "transformers" else {}
        self._child = Child(command, name=f"{self.kind}-server", env=env)
        try:
            self._wait_until_healthy(self._child, port)
        except BaseException:
            self.stop()
            raise

    def _wait_until_healthy(self, child: Child, port: int) -> None:
        until = time.monotonic() + self._settings.start_timeout
        while not (_is_ok(f"http://{HOST}:{port}/health") and _is_ok(f"{self.endpoint}/models")):
            if not child.is_running:
                raise self._failed(child, f"it ended (exit code {child.exit_code})")
            if time.monotonic() > until:
                raise self._failed(child, f"it is not healthy after {self._settings.start_timeout:g} s")
            time.sleep(_POLL_S)
        if not child.is_running:  # whoever answers at the port, it is not ours
            raise self._failed(child, f"port {port} is another's")

    def _failed(self, child: Child, why: str) -> UsageError:
        child.keeps_log = True
        return UsageError(f"{self._files.name}: the {self.kind} server: {why}: {child.last_words()} (log: {child.log})")

    def check(self, *, patience_s: float = 0.0) -> None:
        """Refuse to go on with a server that has ended, or does within some seconds.

        Raises:
            UsageError: it has; the message names its log.
        """
        if self._child and self._child.wait(patience_s):
            raise self._failed(self._child, f"it ended (exit code {self._child.exit_code})")

    def stop(self) -> None:
        """Stop it and all it started; twice is safe."""
        if self._child is not None:
            self._child.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._child = self._folder = None


@contextlib.contextmanager
def served(files: ModelFiles, settings: ServingSettings) -> Iterator[Server]:
    """Serve a model for as long as the block runs, Ctrl-C included.

    Raises:
        UsageError: it cannot be served; the message names the server's log.
    """
    server = Server(files, settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def link_model(origin: Path, folder: Path) -> None:
    """Make a folder of links to a model's files, with generation settings that hold the ends of an answer, no more."""
    folder.mkdir(parents=True)
    for file in sorted(origin.iterdir()):
        if file.is_file() and file.name != _SETTINGS:
            (folder / file.name).symlink_to(file.resolve())
    said = {**_read(origin / "config.json"), **_read(origin / _SETTINGS)}
    neutral = {"do_sample": True, "temperature": 1.0, "top_p": 1.0, "top_k": 0}
    kept = {name: said[name] for name in _ENDS if said.get(name) is not None}
    (folder / _SETTINGS).write_text(json.dumps({**kept, **neutral}), encoding="utf-8")


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _find_server(settings: ServingSettings) -> tuple[str, str]:
    """Return which server, and the interpreter that has it."""
    if settings.server is not None and settings.server not in SERVERS:
        raise UsageError(f"no server {settings.server!r}; known are {', '.join(SERVERS)}")
    if settings.python is not None:
        check_interpreter(settings.python, what="the server")
        if settings.server is None:
            raise UsageError(f"say which server {settings.python} has: one of {', '.join(SERVERS)}")
        return settings.server, str(Path(settings.python).absolute())
    has = {"vllm": ("vllm",), "transformers": ("transformers", "torch", "uvicorn", "fastapi")}
    for kind in (settings.server,) if settings.server else SERVERS:
        if all(importlib.util.find_spec(name) for name in has[kind]):
            return kind, sys.executable
    wanted = settings.server or " nor ".join(SERVERS)
    raise UsageError(f"no {wanted} server is installed here; name the interpreter that has one: python=PATH")


def _command(kind: str, folder: Path, model: str, port: int, settings: ServingSettings) -> list[str]:
    at = ["--host", HOST, "--port", str(port)]
    trusting = ["--trust-remote-code"] if settings.trust_remote_code else []
    if kind == "transformers":
        dtype = ["--dtype", settings.dtype] if settings.dtype else []
        return ["-m", "transformers.cli.transformers", "serve", str(folder), *at, *dtype, *trusting]
    said = {
        "--dtype": settings.dtype,
        "--max-model-len": settings.max_model_len,
        "--gpu-memory-utilization": settings.gpu_memory_utilization,
    }
    return [
        *("-m", "vllm.entrypoints.openai.api_server", "--model", str(folder), "--served-model-name", model, *at),
        *("--load-format", "safetensors"),
        *("--tensor-parallel-size", str(settings.tensor_parallel)),
        *("--data-parallel-size", str(settings.data_parallel)),
        *(text for name, value in said.items() if value is not None for text in (name, str(value))),
        *(["--enforce-eager"] if settings.enforce_eager else []),
        *trusting,
    ]


def _is_ok(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=_REPLY_S) as reply:  # noqa: S310  our own address
            return bool(reply.status == 200)
    except (OSError, urllib.error.URLError, ValueError):
        return False


def _read(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
