"""The manifest of an export: what it is, where it comes from, and the hash of every file.

It holds no time and no path of the machine, so the same build exported anywhere by the same versions gives the same
bytes. A directory is ours when it holds one.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tsodata.exporters.files import ExportedFile
from tsodata.provenance import package_versions
from tsodata.reading import file_sha256

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tsodata.exporters.builds import BuildToExport
    from tsodata.exporters.formats import Format

MANIFEST_NAME = "manifest.json"
_KIND = "tso export 1"
_VERSIONS = ("tso", "pyarrow")


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest, as its JSON object."""

    body: Mapping[str, Any]

    @classmethod
    def of(cls, build: BuildToExport, to: Format, files: list[ExportedFile]) -> Manifest:
        """Return the manifest of files that have been written."""
        versions = package_versions()
        body = {
            "kind": _KIND,
            **_identity(build, to),
            "base": build.base,
            "seed": build.seed,
            "snapshot_id": build.snapshot_id,
            "recipe": build.recipe,
            "resolved": build.resolved,
            "counts": {
                "written": {to.splits[split]: n for split, n in sorted(build.writable.items(), reverse=True)},
                "refused": dict(sorted(build.refused.items())),
            },
            "row_order": "by pair_id, ascending",
            "columns": {field.name: str(field.type) for field in to.schema()},
            "files": [asdict(file) for file in files],
            "versions": {name: versions[name] for name in _VERSIONS},
        }
        return cls(body)

    @classmethod
    def read(cls, directory: Path) -> Manifest | None:
        """Return the manifest of a directory, or None where there is none of ours."""
        try:
            manifest = cls(json.loads((directory / MANIFEST_NAME).read_bytes()))
            is_ours = manifest.body["kind"] == _KIND and bool(manifest.files) and bool(manifest.written)
        except (OSError, ValueError, KeyError, TypeError):
            return None  # no manifest, or somebody else's
        return manifest if is_ours else None

    def to_bytes(self) -> bytes:
        """Return the bytes of the file."""
        return (json.dumps(self.body, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()

    @property
    def files(self) -> tuple[ExportedFile, ...]:
        """Return the files that it lists; their paths are relative to the export."""
        return tuple(ExportedFile(**file) for file in self.body["files"])

    @property
    def written(self) -> dict[str, int]:
        """Return the rows by split."""
        return dict(self.body["counts"]["written"])

    @property
    def refused(self) -> Counter[str]:
        """Return the refused pairs by reason."""
        return Counter(self.body["counts"]["refused"])

    def is_of(self, build: BuildToExport, to: Format) -> bool:
        """Say whether it tells of this build, format and minibatch."""
        return all(self.body.get(name) == value for name, value in _identity(build, to).items())

    def is_true_of(self, directory: Path) -> bool:
        """Say whether every file that it lists is there with its hash."""
        return all(
            (directory / file.path).is_file() and file_sha256(directory / file.path) == file.sha256
            for file in self.files
        )


def _identity(build: BuildToExport, to: Format) -> dict[str, object]:
    return {"format": to.name, "build": build.name, "build_id": build.build_id, "minibatch": build.minibatch}
