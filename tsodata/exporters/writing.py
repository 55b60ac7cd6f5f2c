"""The files of one export, written into an empty directory: rows and ids by split, what describes them, the manifest.

Texts are picked out of the store once, and kept in memory, or on disk under $TSO_MEMORY; from there they are read in
runs of keys, so memory depends on the size of a run and not on the size of the build.
"""

from __future__ import annotations

import contextlib
from typing import IO, TYPE_CHECKING, Any

from tsodata.errors import ExportRefusedError
from tsodata.exporters.builds import check_something_to_train_on
from tsodata.exporters.card import CARD_NAME, card_bytes
from tsodata.exporters.croissant import CROISSANT_NAME, croissant_bytes
from tsodata.exporters.files import ExportedFile, open_rows, open_synced
from tsodata.exporters.manifest import MANIFEST_NAME, Manifest
from tsodata.exporters.sums import Sums

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from tsodata.exporters.builds import BuildToExport
    from tsodata.exporters.formats import Format
    from tsodata.exporters.materials import Material
    from tsodata.exporters.template import TemplateGate
    from tsodata.store import Reader

RUN_CHARS = 400_000_000  # ours: a run is sorted in memory; a row group ends with it, so another number changes bytes
BATCH_ROWS = 4_096  # ours: also the size of a Parquet row group


def write_files(
    reader: Reader, build: BuildToExport, *, to: Format, directory: Path, gate: TemplateGate | None
) -> Manifest:
    """Write all files of an export, the manifest last, and return it; the reader is the one that has judged the build.

    Raises:
        ExportRefusedError: the gate refuses every training row, or fewer or more rows came out of the store than it
            had counted.
        OSError: the disk does not take them.
    """
    reader.keep("texts", "exports/texts")
    sums = Sums(refused=build.refused.copy())
    files = []
    for split in (split for split in to.splits if build.writable.get(split)):
        files += _write_split(reader, build, split, to=to, directory=directory, gate=gate, sums=sums)
    check_something_to_train_on(build, sums.written[to.train], sums.refused)
    by_split = {split: to.file_of(split) for split in to.splits.values() if sums.rows[split]}
    extra = to.side_files(build.name, by_split) if to.side_files else {}
    files += [_write_bytes(directory, name, content) for name, content in extra.items()]
    croissant = croissant_bytes(build, to, files=files, by_split=by_split)  # without the card, which people edit
    files.append(_write_bytes(directory, CROISSANT_NAME, croissant))
    files.append(_write_bytes(directory, CARD_NAME, card_bytes(build, to, sums=sums, gate=gate)))
    manifest = Manifest.of(build, to, files=files, sums=sums, gate=gate)
    _write_bytes(directory, MANIFEST_NAME, manifest.to_bytes())
    return manifest


def read_files(reader: Reader, build: BuildToExport, *, to: Format) -> list[dict[str, Any]]:
    """Return the training rows that an export would write, without a gate; the reader has judged the build."""
    reader.keep("texts", "exports/texts")
    shape = to.takes[build.material]
    return [row for batch in _iter_batches(reader, build, "train") for row in shape(batch).to_pylist()]


def _write_bytes(directory: Path, name: str, content: bytes) -> ExportedFile:
    with open_synced(directory / name) as file:
        file.write(content)
    return ExportedFile.of(directory, name, rows=0)


def _write_split(
    reader: Reader,
    build: BuildToExport,
    split: str,
    *,
    to: Format,
    directory: Path,
    gate: TemplateGate | None,
    sums: Sums,
) -> list[ExportedFile]:
    name, material = to.splits[split], build.material
    paths = [path for path in (to.file_of(name), to.ids_of(name, material)) if path]
    n_refused = 0
    with contextlib.ExitStack() as stack:
        rows = stack.enter_context(open_rows(directory / paths[0], to.schema()))
        ids = [stack.enter_context(open_synced(directory / path)) for path in paths[1:]]
        for batch in _iter_batches(reader, build, split):
            kept, found = gate.sift(batch, material) if gate else (batch, {})
            if gate and not gate.refuses:
                sums.marked.update(found)
            else:
                sums.refused.update(found)
                n_refused += sum(found.values())
            shaped = to.takes[material](kept)
            rows.write(shaped)
            for file in ids:
                _write_ids(file, kept[material.id_column], n_each=shaped.num_rows // max(kept.num_rows, 1))
            sums.note(kept, split=name, material=material, n_rows=shaped.num_rows)
    if sums.written[name] + n_refused != build.writable[split]:
        raise ExportRefusedError(
            f"build {build.name!r}: {sums.written[name] + n_refused} of {build.writable[split]} {material.holds} of "
            f"{name} were found; check the store"
        )
    if not sums.rows[name]:
        for path in paths:
            (directory / path).unlink()  # a split whose rows are all refused is no split
        return []
    return [ExportedFile.of(directory, path, rows=sums.rows[name]) for path in paths]


def _iter_batches(reader: Reader, build: BuildToExport, split: str) -> Iterator[pa.RecordBatch]:
    material = build.material
    for first_key, last_key in reader.rows("exports/parts", split=split, n_chars=RUN_CHARS):
        part = {"build": build.key, "split": split, "first_key": first_key, "last_key": last_key}
        for batch in reader.batches(material.rows, rows=BATCH_ROWS, **part):
            yield _without_blank_edges(batch, material)


def _without_blank_edges(batch: pa.RecordBatch, material: Material) -> pa.RecordBatch:
    import pyarrow as pa
    from pyarrow import compute as pc

    # the same characters as str.strip, by which the store knows empty and equal answers
    for name in material.texts:
        column = batch[name]
        if material.is_list:
            offsets = pc.subtract(column.offsets, column.offsets[0])
            bare = pa.ListArray.from_arrays(offsets, pc.utf8_trim_whitespace(column.flatten()))
        else:
            bare = pc.utf8_trim_whitespace(column)
        batch = batch.set_column(batch.schema.get_field_index(name), name, bare)
    return batch


def _write_ids(file: IO[bytes], ids: pa.Array, *, n_each: int) -> None:
    file.write("".join(f"{row_id}\n" * n_each for row_id in ids.to_pylist()).encode())
