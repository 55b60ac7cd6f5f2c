"""What is asked for: a cell to be filled, the model that fills it, and how its answers are drawn."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from tsodata.engines.options import EngineOptions
from tsodata.engines.protocol import Sampling
from tsodata.errors import UsageError
from tsodata.records import Source
from tsodata.runner import Prices
from tsodata.sizes import parse_size

DEFAULT_SEED = 43  # as of builds


class Shard(NamedTuple):
    """A part of the prompts, counted from 0, of so many."""

    position: int = 0
    n_shards: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Return the shard that people write as 2/8.

        Raises:
            UsageError: it is none.
        """
        match = re.fullmatch(r"(\d+)/(\d+)", text.strip())
        if not match or not 1 <= int(match[1]) <= int(match[2]):
            raise UsageError(f"--shard {text!r} is not a part such as 1/8 to 8/8")
        return cls(int(match[1]) - 1, int(match[2]))


WHOLE = Shard()


@dataclass(frozen=True, slots=True)
class Ask:
    """A cell, and everything that its answers depend on; but none depends on `options`, how to reach the model.

    Only the prompts of a data set are asked, or of a build's minibatch, where these are named.
    """

    source: Source
    engine: str
    model: str
    options: EngineOptions = field(default_factory=EngineOptions)
    sampling: Sampling = field(default_factory=Sampling)
    n_samples: int = 1
    seed: int = DEFAULT_SEED
    dataset: str | None = None
    build: str | None = None
    minibatch: int | None = None
    shard: Shard = WHOLE
    prices: Prices | None = None

    def __post_init__(self) -> None:
        if (self.build is None) != (self.minibatch is None):
            raise UsageError("--build and --minibatch go together: the prompts of a minibatch of that build")


def parse_cell(text: str) -> Source:
    """Return the cell of a label such as vicuna/v1.5/13.

    Raises:
        UsageError: it is none.
    """
    family, version, size = [*text.strip().rsplit("/", 2), "", ""][:3]
    try:
        size_b = parse_size(size)
    except ValueError as error:
        raise UsageError(f"{text!r} is not a cell such as vicuna/v1.5/13: {error}") from None
    if not (family and version and size_b):
        raise UsageError(f"{text!r} is not a cell such as vicuna/v1.5/13 (FAMILY/VERSION/SIZE)")
    return Source.model(family, None if version == "-" else version, size_b)
