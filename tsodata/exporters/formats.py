"""The formats by name: where a split's file stands, its columns, and how rows of the store become its rows."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from tsodata.errors import UsageError
from tsodata.exporters import flat, h4, trl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

_PARQUET = "data/{split}-00000-of-00001.parquet"


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write pairs: `train` and `held_out` name the store's splits as the format's readers do.

    With `has_ids` a row carries its pair id, with `has_card` a README.md tells the types of the columns.
    """

    name: str
    path: str
    schema: Callable[[], pa.Schema]
    shape: Callable[[pa.RecordBatch], pa.RecordBatch]
    train: str = "train"
    held_out: str = "test"
    has_ids: bool = True
    has_card: bool = False

    @property
    def splits(self) -> dict[str, str]:
        """Return the name of each of the store's splits in this format."""
        return {"train": self.train, "held_out": self.held_out}

    def file_of(self, split: str) -> str:
        """Return the path of a split's rows, relative to the export; `split` is the format's name for it."""
        return self.path.format(split=split)

    def ids_of(self, split: str) -> str | None:
        """Return the path of a split's pair ids, or None where the rows carry them."""
        return None if self.has_ids else f"pair_ids/{split}.txt"


_ALL = (
    Format("trl", _PARQUET, trl.schema, trl.shape, has_ids=False),
    Format("h4", _PARQUET, h4.schema, h4.shape, train="train_prefs", held_out="test_prefs", has_ids=False),
    Format("parquet", _PARQUET, flat.schema, flat.shape),
    Format("jsonl", "{split}.jsonl", flat.schema, flat.shape, has_card=True),
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
