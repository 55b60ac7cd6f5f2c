"""One export from beginning to end: find the build, look at the place, write, record."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tsodata.errors import ExportRefusedError, UsageError
from tsodata.exporters.builds import BuildToExport, find_build_to_export
from tsodata.exporters.formats import Format, find_format
from tsodata.exporters.manifest import MANIFEST_NAME, Manifest
from tsodata.exporters.writing import read_files, write_files
from tsodata.placing import placed_whole, remove_leftover, restore
from tsodata.provenance import Run, content_key, storable
from tsodata.reading import file_sha256

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

    import pyarrow as pa

    from tsodata.exporters.files import ExportedFile
    from tsodata.exporters.template import TemplateGate
    from tsodata.store import Reader, Store


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export holds: `rows` by split as the format names it, made of so many `written` units.

    The unit is what the build holds, pairs or answers. `refused` are those not written, by reason, and `marked` those
    that the template gate found and was told to write.
    """

    directory: Path
    format: str
    unit: str
    rows: dict[str, int]
    written: dict[str, int]
    refused: Counter[str]
    marked: Counter[str]
    files: tuple[ExportedFile, ...]
    already_there: bool


def export_build(
    store: Store,
    name: str,
    *,
    to: str,
    out: Path,
    run: Run,
    minibatch: int | None = None,
    gate: TemplateGate | None = None,
    overwrite: bool = False,
) -> ExportReport:
    """Write a build, or one minibatch of it without the held-out pairs, as a data set for a trainer.

    The directory `out` is there whole, with a manifest, a data card and a Croissant description, or not at all; rows
    stand by id, so the same build gives the same bytes. Pairs (or answers) that no trainer can use, or that the
    template gate refuses, are counted by reason and not written. Where the same export is already there and its hashes
    hold, nothing is written.

    Raises:
        UnknownNameError: no build has the name.
        UsageError: there is no such format or minibatch, or the build does not hold what the format takes.
        ExportRefusedError: `out` is taken, or the disk refuses, or there is nothing to train on that can be written.
    """
    target_format = find_format(to)
    target = out.resolve()
    if not target.name:
        raise UsageError(f"{out} cannot be an export's directory; pass another --out")
    try:
        with contextlib.ExitStack() as place:
            with store.reader() as reader:
                build = find_build_to_export(reader, name, to=target_format, minibatch=minibatch)
                restore(target)
                remove_leftover(target)
                present = _manifest_there(target, build, to=target_format, gate=gate, overwrite=overwrite)
                directory = target
                if present is None:
                    is_taken = Manifest.read(target) is not None
                    directory = place.enter_context(placed_whole(target, replacing=is_taken))
                manifest = present or write_files(reader, build, to=target_format, directory=directory, gate=gate)
            # recorded before it is put in its place, so that a manifest that no record tells of is never our own
            _record(store, build, manifest=manifest, directory=directory, target=target, run=run)
    except OSError as error:
        reason = error.strerror or str(error).splitlines()[0]
        raise ExportRefusedError(f"{out}: not written ({reason}); make room, or pass another --out") from error
    return ExportReport(
        directory=out,
        format=to,
        unit=manifest.unit,
        rows=manifest.rows,
        written=manifest.written,
        refused=manifest.refused,
        marked=manifest.marked,
        files=manifest.files,
        already_there=present is not None,
    )


def preview_build(store: Store, name: str, *, to: str, minibatch: int) -> list[dict[str, Any]]:
    """Return the training rows that the export of a minibatch holds, and write nothing.

    Raises:
        UnknownNameError, UsageError, ExportRefusedError: as `export_build`.
    """
    target_format = find_format(to)
    with store.reader() as reader:
        build = find_build_to_export(reader, name, to=target_format, minibatch=minibatch)
        return read_files(reader, build, to=target_format)


def _manifest_there(
    target: Path, build: BuildToExport, *, to: Format, gate: TemplateGate | None, overwrite: bool
) -> Manifest | None:
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return None
    manifest = Manifest.read(target)
    if manifest is None:
        raise ExportRefusedError(f"{target} is there and is not an export of tso; pass another --out")
    if manifest.is_of(build, to, gate) and manifest.is_true_of(target):
        return manifest
    if not overwrite:
        raise ExportRefusedError(f"{target} holds another or a changed export; pass --overwrite or another --out")
    ours = {MANIFEST_NAME, *(file.path for file in manifest.files)}
    found = {path.relative_to(target).as_posix() for path in target.rglob("*") if not path.is_dir()}
    if foreign := sorted(found - ours):
        raise ExportRefusedError(f"{target} also holds {foreign[0]}, which no export wrote; pass another --out")
    return None


def _record(store: Store, build: BuildToExport, *, manifest: Manifest, directory: Path, target: Path, run: Run) -> None:
    manifest_sha256 = file_sha256(directory / MANIFEST_NAME)
    to = manifest.body["format"]
    export_key = content_key("export", build.key, to, build.minibatch, manifest_sha256, storable(str(target)))
    with store.reader() as reader:
        if _is_recorded(reader, export_key):
            return
    row = {
        "export_key": export_key,
        "build_key": build.key,
        "format": to,
        "directory": storable(str(target)),
        "manifest_sha256": manifest_sha256,
        "n_rows": sum(manifest.rows.values()),
        "n_refused": manifest.refused.total(),
    }
    with store.transaction(run) as transaction:
        if not _is_recorded(transaction, export_key):
            transaction.insert("exports", _one_row(row))


def _is_recorded(reader: Reader, export_key: int) -> bool:
    return bool(reader.rows("exports/recorded", export=export_key))


def _one_row(row: dict[str, object]) -> pa.Table:
    import pyarrow as pa

    keys = {"export_key": pa.uint64(), "build_key": pa.uint64()}  # else taken for int64, which is too small
    return pa.table({name: pa.array([value], keys.get(name)) for name, value in row.items()})
