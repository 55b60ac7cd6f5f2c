"""What a person may say about an engine, whichever it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tsodata.engines.keys import DEFAULT_KEY_ENV


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How to reach a model. `settings` are one engine's own, by name; `timeout_s` is for one whole answer.

    `key_env` names the environment variable that holds the key; the key itself is never an option.
    """

    endpoint: str | None = None
    key_env: str = DEFAULT_KEY_ENV
    concurrency: int = 32
    timeout_s: float = 600.0
    revision: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
