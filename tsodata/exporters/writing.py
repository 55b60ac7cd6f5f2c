"""The files of one export, written into an empty directory: rows and pair ids by split, then the manifest.

Texts are read in runs of pair keys, so memory depends on the size of a run and not on the size of the build.
"""

from __future__ import annotations

import contextlib
from typing import IO, TYPE_CHECKING

from tsodata.errors import ExportRefusedError
from tsodata.exporters.card import CARD_NAME, card_bytes
from tsodata.exporters.files import ExportedFile, open_rows, open_synced
from tsodata.exporters.manifest import MANIFEST_NAME, Manifest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from tsodata.exporters.builds import BuildToExport
    from tsodata.exporters.formats import Format
    from tsodata.store import Reader

RUN_CHARS = (
    400_000_000  # ours: a run is sorted in memory, or on disk under $TSO_MEMORY; each run reads all answers anew
)
BATCH_ROWS = 4_096  # ours: also the size of a Parquet row group


def write_files(reader: Reader, build: BuildToExport, *, to: Format, directory: Path) -> Manifest:
    """Write all files of an export, the manifest last, and return it.

    Raises:
        ExportRefusedError: fewer or more rows came out of the store than it had counted.
        OSError: the disk does not take them.
    """
    files = []
    for split in (split for split in to.splits if build.writable.get(split)):
        files += _write_split(reader, build, to=to, split=split, directory=directory)
    if to.has_card:
        with open_synced(directory / CARD_NAME) as file:
            file.write(card_bytes(to.schema()))
        files.append(ExportedFile.of(directory, CARD_NAME, rows=0))
    manifest = Manifest.of(build, to, files)
    with open_synced(directory / MANIFEST_NAME) as file:
        file.write(manifest.to_bytes())
    return manifest


def _write_split(
    reader: Reader, build: BuildToExport, *, to: Format, split: str, directory: Path
) -> list[ExportedFile]:
    name = to.splits[split]
    paths = [path for path in (to.file_of(name), to.ids_of(name)) if path]
    n_rows = 0
    with contextlib.ExitStack() as stack:
        rows = stack.enter_context(open_rows(directory / paths[0], to.schema()))
        ids = [stack.enter_context(open_synced(directory / path)) for path in paths[1:]]
        for batch in _iter_batches(reader, build, split):
            rows.write(to.shape(batch))
            for file in ids:
                _write_ids(file, batch)
            n_rows += batch.num_rows
    if n_rows != build.writable[split]:
        raise ExportRefusedError(
            f"build {build.name!r}: {n_rows} of {build.writable[split]} pairs of {name} were found; check the store"
        )
    return [ExportedFile.of(directory, path, rows=n_rows) for path in paths]


def _iter_batches(reader: Reader, build: BuildToExport, split: str) -> Iterator[pa.RecordBatch]:
    part = {"build": build.key, "split": split, "minibatch": build.minibatch}
    for first_key, last_key in reader.rows("exports/parts", **part, n_chars=RUN_CHARS):
        keys = {"first_key": first_key, "last_key": last_key}
        for batch in reader.batches("exports/pairs", rows=BATCH_ROWS, **part, **keys):
            yield _without_blank_edges(batch)


def _without_blank_edges(batch: pa.RecordBatch) -> pa.RecordBatch:
    from pyarrow import compute as pc

    # the same characters as str.strip, by which the store knows empty and equal answers
    for name in ("chosen", "rejected"):
        position = batch.schema.get_field_index(name)
        batch = batch.set_column(position, name, pc.utf8_trim_whitespace(batch[name]))
    return batch


def _write_ids(file: IO[bytes], batch: pa.RecordBatch) -> None:
    file.write("".join(f"{pair_id}\n" for pair_id in batch["pair_id"].to_pylist()).encode())
