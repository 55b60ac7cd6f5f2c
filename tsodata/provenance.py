"""Content keys, the ids that people see, how long a name may be, and the header of a run.

A key is the first 64 bits of a sha256 over a canonical JSON list, so the same content has the same key on every
machine. An id is a key as text: a noun's prefix, the number of the algorithm (1 = the one above), 16 hex digits:
`r1-9f86d081884c7d65`. Knows nothing of the store.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from tsodata._version import __version__
from tsodata.errors import UsageError

ALGORITHM = "1"
MAX_NAME_CHARS = 300  # of a model, judge, data set, rubric, tag, build: names are shown in tables, not read
PREFIXES = {
    "prompt": "p",
    "response": "r",
    "text": "t",
    "source": "src",
    "rubric": "rub",
    "judgement": "jud",
    "correction": "cor",
    "calibration": "cal",
    "recipe": "rec",
    "build": "bld",
    "snapshot": "snap",
    "pair": "pair",
    "run": "run",
    "stage": "stg",
    "artefact": "art",
    "request": "req",
    "settings": "set",
}
_ID = re.compile(r"^([a-z]+)(\d+)-([0-9a-f]{16})$")
_BLOCK_BYTES = 1 << 20
_PACKAGES = ("duckdb", "polars", "pyarrow")


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_any_json = _canonical.encode


def _made_once() -> Callable[[object, int], Iterable[str]]:
    """Return what `canonical_json` makes anew for each value: every row that is imported has keys to be made."""
    make: Callable[..., Callable[[object, int], Iterable[str]]] | None = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # Python without its part in C
        return lambda value, _: (_any_json(value),)
    return make(None, _canonical.default, json.encoder.encode_basestring, None, ":", ",", True, False, False)


_json_parts = _made_once()


def canonical_json(value: object) -> str:
    """Return JSON with sorted keys and no blanks; NaN and infinities are refused with ValueError."""
    return _any_json(value)


def double(value: float | None) -> float | None:
    """Return a number as the store keeps it, so that 8 and 8.0 are the same content."""
    return None if value is None else float(value)


def content_key(*parts: object) -> int:
    """Return the key of a content, an integer below 2**64.

    Raises:
        ValueError: a part holds a lone surrogate, NaN or an infinity.
    """
    return int.from_bytes(hashlib.sha256("".join(_json_parts(parts, 0)).encode()).digest()[:8])


def storable(text: str) -> str:
    """Return a text that the store takes: lone surrogates, as in file names that are not UTF-8, become escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def check_names(*names: str | None) -> None:
    """Refuse names that no table can show.

    Raises:
        ValueError: one is longer than MAX_NAME_CHARS.
    """
    for name in names:
        if name is not None and len(name) > MAX_NAME_CHARS:
            raise ValueError(f"a name of {len(name)} characters, more than {MAX_NAME_CHARS}: {name[:40]!r}…")


def format_id(noun: str, key: int) -> str:
    """Return the id that people see for a key."""
    return f"{PREFIXES[noun]}{ALGORITHM}-{key:016x}"


def parse_id(noun: str, text: str) -> int:
    """Return the key of an id.

    Raises:
        UsageError: the text is not an id of this noun.
    """
    match = _ID.match(text)
    if not match or match[1] != PREFIXES[noun] or match[2] != ALGORITHM:
        raise UsageError(f"{text!r} is not a {noun} id; it looks like {PREFIXES[noun]}{ALGORITHM}-0123456789abcdef")
    return int(match[3], 16)


def files_sha256(files: Iterable[Path]) -> str:
    """Return the sha256 over files in their order, each its name and its bytes, in hex: how weights are known."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\n".encode())
        with file.open("rb") as opened:
            while block := opened.read(_BLOCK_BYTES):
                digest.update(block)
    return digest.hexdigest()


def stream_seed(seed: int, *stream: object) -> int:
    """Return the 64-bit seed of one named stream, so that streams of one seed are independent."""
    return int.from_bytes(hashlib.sha256(":".join(map(str, (seed, *stream))).encode()).digest()[:8])


def utc_now() -> datetime:
    """Return the time now in UTC, without a zone, as the store keeps it."""
    return datetime.now(UTC).replace(tzinfo=None)


def package_versions() -> dict[str, str]:
    """Return the versions that decide what a run does."""
    versions = {name: metadata.version(name) for name in _PACKAGES}
    return {"tso": __version__, "python": platform.python_version(), **versions}


@dataclass(frozen=True, slots=True)
class Run:
    """Who ran what, when, with which configuration and seed; every row of a store points to one."""

    command: str
    arguments: str = "{}"
    seed: int | None = None
    started_at: datetime = field(default_factory=utc_now)
    versions: str = field(default_factory=lambda: canonical_json(package_versions()))
    nonce: str = field(default_factory=lambda: f"{os.getpid()}:{os.urandom(8).hex()}")

    @classmethod
    def of_process(cls, arguments: dict[str, object], *, seed: int | None = None) -> Run:
        """Return the run of this process; `arguments` is the configuration that was resolved."""
        command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
        return cls(command=storable(command), arguments=storable(canonical_json(arguments)), seed=seed)

    @property
    def config_sha256(self) -> str:
        """Return the hash of the configuration."""
        return hashlib.sha256(self.arguments.encode()).hexdigest()

    @property
    def key(self) -> int:
        """Return the key of the run; no two runs share one."""
        return content_key("run", self.command, self.arguments, self.started_at.isoformat(), self.nonce)
