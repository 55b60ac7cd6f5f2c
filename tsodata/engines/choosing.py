"""The engines by name. Each is imported only when it is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import cast

from tsodata.engines.keys import checked_endpoint, read_key
from tsodata.engines.options import EngineOptions
from tsodata.engines.protocol import Engine
from tsodata.errors import UsageError

ENGINES: Mapping[str, str] = MappingProxyType(
    {
        "openai": "an endpoint that speaks OpenAI's chat completions",
        "served": "a server of our own, vLLM's or transformers', for as long as it takes",
        "transformers": "in this process, for small models",
        "vllm": "vLLM in a process of its own",
    }
)


def usual_engine(model: str, endpoint: str | None) -> str:
    """Return the engine of a model where none is named: a folder runs here, a name is asked for elsewhere."""
    return "transformers" if endpoint is None and Path(model).is_dir() else "openai"


def check_options(name: str, options: EngineOptions) -> None:
    """Refuse an address that may hold a secret, or a key that is missing, before anything is made or recorded.

    Raises:
        UsageError: there is no such engine, or its address or key cannot be used.
    """
    if name not in ENGINES:
        raise UsageError(f"no engine {name!r}; known are {', '.join(ENGINES)}")
    if name == "openai":
        read_key(checked_endpoint(options.endpoint), options.key_env)
    elif options.endpoint is not None:
        raise UsageError(f"engine {name} has no endpoint; leave --endpoint out, or pass --engine openai")


def make_engine(name: str, model: str, options: EngineOptions | None = None) -> Engine:
    """Return the engine of a model by the engine's name: `make` of the module of that name.

    Raises:
        UsageError: there is no such engine, or what it needs is not there.
    """
    check_options(name, options or EngineOptions())
    module = import_module(f"tsodata.engines.{name}")
    return cast("Engine", module.make(model, options or EngineOptions()))
