"""Exports against what the store recorded of them: the manifest's hash, and the hash of every file that it lists."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tsodata.checks.check import Check
from tsodata.exporters.manifest import MANIFEST_NAME, Manifest
from tsodata.reading import file_sha256

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tsodata.checks.check import Row
    from tsodata.store import Store


def changed_exports(store: Store, first_seq: int) -> Iterator[Row]:
    """Yield the files of exports that are not as they were written."""
    for directory, manifests in _places(store, first_seq):
        if (directory / MANIFEST_NAME).is_file():
            yield from _changed_files(directory, manifests)


def missing_exports(store: Store, first_seq: int) -> Iterator[Row]:
    """Yield the exports that are no longer where they were written, or were never put there."""
    for directory, _ in _places(store, first_seq):
        if not (directory / MANIFEST_NAME).is_file():
            yield {"id": str(directory)}


def _places(store: Store, first_seq: int) -> list[tuple[Path, Sequence[str]]]:
    with store.reader() as reader:
        return [(Path(place), found) for place, found in reader.rows("exports/places", first_seq=first_seq)]


def _changed_files(directory: Path, manifests: Sequence[str]) -> Iterator[Row]:
    manifest = Manifest.read(directory)
    if manifest is None or file_sha256(directory / MANIFEST_NAME) not in manifests:
        yield {"id": str(directory), "file": MANIFEST_NAME, "problem": "no record tells of it"}
        return
    for file in manifest.files:
        path = directory / file.path
        if not path.is_file():
            yield {"id": str(directory), "file": file.path, "problem": "is missing"}
        elif file_sha256(path) != file.sha256:
            yield {"id": str(directory), "file": file.path, "problem": "has another hash"}


EXPORT_CHECKS = (
    Check(
        "changed-exports",
        "Which files of exports are not as they were written?",
        "a trainer reads rows that no build holds, or an export of which a part is gone",
        "violation",
        "one per file, by the export's path",
        changed_exports,
    ),
    Check(
        "missing-exports",
        "Which exports are not where they were written?",
        "an export that was moved, removed, or stopped before its place was taken cannot be vouched for",
        "notice",
        "one per export, by its path",
        missing_exports,
    ),
)
