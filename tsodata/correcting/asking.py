"""One sheet for people from beginning to end: what it asks about, the place, the writing.

A sheet that is there is never written over, because people may have filled it in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tsodata.correcting.offering import Selection, find_offers
from tsodata.correcting.sheets import find_kind
from tsodata.errors import ExportRefusedError
from tsodata.exporters.files import open_synced
from tsodata.placing import placed_file, placed_whole, remove_leftover
from tsodata.store import Store


@dataclass(frozen=True, slots=True)
class SheetReport:
    """A sheet that was written, or was there with the same content: answers asked about, by dimension."""

    path: Path
    kind: str
    judge: str
    rubric: str
    n_offers: int
    dimensions: dict[str, int]
    already_there: bool


def export_corrections(store: Store, selection: Selection, *, to: str, out: Path) -> SheetReport:
    """Write a sheet of scored answers for people to fill in, whole or not at all.

    Raises:
        UsageError: there is no such kind of sheet, or it cannot hold the scale, or it is not clear whose scores.
        UnknownNameError: no judge, rubric, build or cell of that name.
        DataError: nothing is left to ask about.
        ExportRefusedError: `out` is taken, or the disk refuses.
    """
    kind = find_kind(to)
    with store.reader() as reader:
        offers = find_offers(reader, selection)
    files = kind.files(offers)
    is_there = _is_there(out, files)
    if not is_there:
        if out.exists():
            raise ExportRefusedError(f"{out} is there, and may have been filled in; pass another --out")
        _write(out, files, is_folder=kind.is_folder)
    return SheetReport(
        path=out,
        kind=to,
        judge=offers[0].judge,
        rubric=offers[0].rubric,
        n_offers=len(offers),
        dimensions=dict(sorted(Counter(offer.dimension for offer in offers).items())),
        already_there=is_there,
    )


def _is_there(out: Path, files: Mapping[str, bytes]) -> bool:
    return all((out / name).is_file() and (out / name).read_bytes() == content for name, content in files.items())


def _write(out: Path, files: Mapping[str, bytes], *, is_folder: bool) -> None:
    try:
        if is_folder:
            target = out.resolve()
            remove_leftover(target)
            with placed_whole(target, replacing=False) as folder:
                for name, content in files.items():
                    with open_synced(folder / name) as file:
                        file.write(content)
        else:
            with placed_file(out) as file:
                file.write(files[""])
    except OSError as error:
        reason = error.strerror or str(error).splitlines()[0]
        raise ExportRefusedError(f"{out}: not written ({reason}); make room, or pass another --out") from error
