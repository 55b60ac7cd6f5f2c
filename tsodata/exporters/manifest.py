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
    from tsodata.exporters.sums import Sums
    from tsodata.exporters.template import TemplateGate

MANIFEST_NAME = "manifest.json"
_KIND = "tso export 1"
_VERSIONS = ("tso", "pyarrow")


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest, as its JSON object."""

    body: Mapping[str, Any]

    @classmethod
    def of(
        cls, build: BuildToExport, to: Format, *, files: list[ExportedFile], sums: Sums, gate: TemplateGate | None
    ) -> Manifest:
        """Return the manifest of files that have been written."""
        versions = package_versions()
        body = {
            "kind": _KIND,
            **_identity(build, to, gate),
            "base": build.base or None,
            "seed": build.seed,
            "snapshot_id": build.snapshot_id,
            "recipe": build.recipe,
            "resolved": build.resolved,
            "counts": sums.as_json(build.material),
            "sources": sums.sources_as_json(),
            "row_order": f"by {build.material.id_column}, ascending",
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
            is_ours = manifest.body["kind"] == _KIND and bool(manifest.files) and bool(manifest.rows)
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
    def unit(self) -> str:
        """Return what is counted: pairs or answers."""
        return str(self.body["counts"]["unit"])

    @property
    def written(self) -> dict[str, int]:
        """Return the pairs or answers written, by split."""
        return dict(self.body["counts"]["written"])

    @property
    def rows(self) -> dict[str, int]:
        """Return the rows by split."""
        return dict(self.body["counts"]["rows"])

    @property
    def refused(self) -> Counter[str]:
        """Return the refused pairs or answers by reason."""
        return Counter(self.body["counts"]["refused"])

    @property
    def marked(self) -> Counter[str]:
        """Return what the template gate found and did not refuse, by reason."""
        return Counter(self.body["counts"].get("marked", {}))

    def is_of(self, build: BuildToExport, to: Format, gate: TemplateGate | None) -> bool:
        """Say whether it tells of this build, format, minibatch and template gate."""
        return all(self.body.get(name) == value for name, value in _identity(build, to, gate).items())

    def is_true_of(self, directory: Path) -> bool:
        """Say whether every file that it lists is there with its hash."""
        return all(
            (directory / file.path).is_file() and file_sha256(directory / file.path) == file.sha256
            for file in self.files
        )


def _identity(build: BuildToExport, to: Format, gate: TemplateGate | None) -> dict[str, object]:
    return {
        "format": to.name,
        "build": build.name,
        "build_id": build.build_id,
        "minibatch": build.minibatch,
        "template_gate": gate.settings if gate else None,
    }
