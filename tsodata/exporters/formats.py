"""The formats by name: what they take of a build, where the rows stand, and how the store's rows become theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from tsodata.errors import UsageError
from tsodata.exporters import (
    axolotl,
    distilabel,
    flat,
    h4,
    kto,
    llama_factory,
    openrlhf,
    ranked,
    sft,
    trl,
)
from tsodata.exporters.materials import ALTERNATING_PAIRS, ANSWERS, CHOSEN, LISTS, PAIRS, Material

if TYPE_CHECKING:
    import pyarrow as pa

    Shape = Callable[[pa.RecordBatch], pa.RecordBatch]

_PARQUET = "data/{split}-00000-of-00001.parquet"
_JSONL = "{split}.jsonl"


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write a build: `takes` says, per material, how a batch of the store's rows becomes rows of the format.

    `train` and `held_out` name the store's splits as the format's readers do. With `has_ids` a row carries its id.
    `usage` tells how to read the export; `side_files` gives the other files that its readers want, from the build's
    name and the paths of the rows by split.
    """

    name: str
    says: str
    path: str
    schema: Callable[[], pa.Schema]
    takes: Mapping[Material, Shape]
    tags: tuple[str, ...]
    usage: str | None = None
    train: str = "train"
    held_out: str = "test"
    has_ids: bool = False
    side_files: Callable[[str, Mapping[str, str]], dict[str, bytes]] | None = None

    @property
    def splits(self) -> dict[str, str]:
        """Return the name of each of the store's splits in this format."""
        return {"train": self.train, "held_out": self.held_out}

    @property
    def is_json(self) -> bool:
        """Say whether rows are lines of JSON, which carry no types."""
        return self.path.endswith(".jsonl")

    def file_of(self, split: str) -> str:
        """Return the path of a split's rows, relative to the export; `split` is the format's name for it."""
        return self.path.format(split=split)

    def ids_of(self, split: str, material: Material) -> str | None:
        """Return the path of a split's ids, one a row, or None where the rows carry them."""
        return None if self.has_ids else f"{material.id_column}s/{split}.txt"


_PREFERENCE = ("preference", "dpo")
_ALL = (
    Format(
        "trl", "TRL: prompt, chosen and rejected as messages", _PARQUET, trl.schema, {PAIRS: trl.shape}, _PREFERENCE
    ),
    Format(
        "h4",
        "zephyr recipes and the alignment handbook: the columns of ultrafeedback_binarized",
        _PARQUET,
        h4.schema,
        {PAIRS: h4.shape},
        _PREFERENCE,
        train="train_prefs",
        held_out="test_prefs",
    ),
    Format(
        "llama-factory",
        "LLaMA-Factory: sharegpt ranking rows and their dataset_info.json",
        _JSONL,
        llama_factory.schema,
        {ALTERNATING_PAIRS: llama_factory.shape},
        _PREFERENCE,
        usage=llama_factory.USAGE,
        side_files=llama_factory.side_files,
    ),
    Format(
        "openrlhf",
        "OpenRLHF: prompt, chosen and rejected as messages, one JSON line a pair",
        _JSONL,
        openrlhf.schema,
        {PAIRS: openrlhf.shape},
        _PREFERENCE,
        usage=openrlhf.USAGE,
    ),
    Format(
        "axolotl",
        "axolotl: rows of chat_template.default and their YAML stanza",
        _JSONL,
        axolotl.schema,
        {PAIRS: axolotl.shape},
        _PREFERENCE,
        usage=axolotl.USAGE,
        side_files=axolotl.side_files,
    ),
    Format(
        "distilabel",
        "distilabel: generations with their models and ratings, and the pair made of them",
        _PARQUET,
        distilabel.schema,
        {PAIRS: distilabel.shape},
        (*_PREFERENCE, "distilabel"),
        usage=distilabel.USAGE,
    ),
    Format(
        "kto",
        "KTO in TRL: two rows a pair, the chosen answer with label true, the rejected one with false",
        _PARQUET,
        kto.schema,
        {PAIRS: kto.shape},
        ("preference", "kto"),
        usage=kto.USAGE,
    ),
    Format(
        "sft",
        "supervised tuning: the prompt and its answer as messages; of a pair the chosen one",
        _PARQUET,
        sft.schema,
        {CHOSEN: sft.shape_pairs, ANSWERS: sft.shape_answers},
        ("sft",),
        usage=sft.USAGE,
    ),
    Format(
        "ranked",
        "RRHF and PRO: a prompt's answers, the best first, with scores and sources",
        _PARQUET,
        ranked.schema,
        {LISTS: ranked.shape},
        ("preference", "ranking"),
        usage=ranked.USAGE,
        has_ids=True,
    ),
    Format(
        "parquet",
        "flat rows with ids, sources and scores, as Parquet",
        _PARQUET,
        flat.schema,
        {PAIRS: flat.shape},
        _PREFERENCE,
        has_ids=True,
    ),
    Format(
        "jsonl",
        "the same rows as JSON lines",
        _JSONL,
        flat.schema,
        {PAIRS: flat.shape},
        _PREFERENCE,
        has_ids=True,
    ),
)
FORMATS: Mapping[str, Format] = MappingProxyType({each.name: each for each in _ALL})


def find_format(name: str) -> Format:
    """Return the format of a name.

    Raises:
        UsageError: there is none.
    """
    if name not in FORMATS:
        raise UsageError(f"no export format {name!r}; known are {', '.join(FORMATS)}")
    return FORMATS[name]
