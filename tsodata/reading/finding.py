"""From what a user names (files, folders, patterns, folders of `datasets`) to files, in a stable order.

Files come in the order in which they are named; within a folder or a pattern by their path, part by part, and those of
a `datasets` folder in the order that it states. A file that is named twice counts once. Hidden files and files of
unknown kinds in a folder are passed over, and told. Links to files are followed, links to folders are not.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsodata.errors import ImportRefusedError
from tsodata.reading.kinds import KINDS, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MAGIC = re.compile(r"[*?[]")
_STATE, _INFO, _SPLITS = "state.json", "dataset_info.json", "dataset_dict.json"  # of Dataset.save_to_disk
_MAX_STATE_BYTES = 16 << 20


@dataclass(slots=True)
class FoundFiles:
    """Files to read, and what was passed over on the way, each with its reason."""

    files: list[Path] = field(default_factory=list)
    passed_over: list[tuple[Path, str]] = field(default_factory=list)
    _seen: set[Path] = field(default_factory=set)

    def add(self, path: Path) -> None:
        """Take a file, once."""
        real = path.resolve()
        if real in self._seen:
            self.pass_over(path, "named before")
            return
        self._seen.add(real)
        self.files.append(path)

    def passed_over_by_reason(self) -> dict[str, list[str]]:
        """Return the paths that were passed over, by reason."""
        by_reason: dict[str, list[str]] = {}
        for path, reason in self.passed_over:
            by_reason.setdefault(reason, []).append(str(path))
        return by_reason

    def pass_over(self, path: Path, reason: str) -> None:
        """Note a file or folder that is not read."""
        self.passed_over.append((path, reason))


def find_files(paths: Sequence[Path]) -> FoundFiles:
    """Return the files that some paths stand for.

    Raises:
        ImportRefusedError: a path stands for no file that can be read.
    """
    found = FoundFiles()
    for path in paths:
        before = len(found.files) + _n_named_before(found)
        if path.is_dir():
            _add_folder(found, path)
        elif path.exists() or not _MAGIC.search(str(path)):
            _add_named(found, path)
        else:
            _add_matches(found, path)
        if len(found.files) + _n_named_before(found) == before:
            raise ImportRefusedError(f"{path}: holds no file of a known kind ({', '.join(KINDS)}, also .gz and .zst)")
    return found


def _n_named_before(found: FoundFiles) -> int:
    return sum(reason == "named before" for _, reason in found.passed_over)


def _add_named(found: FoundFiles, path: Path) -> None:
    if not path.is_file():
        raise ImportRefusedError(f"{path}: no such file or folder")
    found.add(path)


def _add_matches(found: FoundFiles, pattern: Path) -> None:
    """Add what a pattern such as data/**/*.jsonl matches; a folder that it matches counts with what is beneath."""
    parts = pattern.parts
    n_plain = next(position for position, part in enumerate(parts) if _MAGIC.search(part))
    base = Path(*parts[:n_plain]) if n_plain else Path()
    try:
        matches = sorted(base.glob(str(Path(*parts[n_plain:]))), key=_order)
    except (ValueError, NotImplementedError, re.error) as error:
        raise ImportRefusedError(f"{pattern}: not a pattern: {error}") from error
    if not matches:
        raise ImportRefusedError(f"{pattern}: no file matches")
    for path in matches:
        if any(part.startswith(".") and part != ".." for part in path.relative_to(base).parts):
            found.pass_over(path, "hidden")
        elif path.is_dir():
            _add_folder(found, path)
        else:
            _add_if_known(found, path)


def _add_folder(found: FoundFiles, folder: Path) -> None:
    if (folder / _SPLITS).is_file() or (folder / _STATE).is_file():
        _add_dataset(found, folder)
        return
    try:
        entries = sorted(folder.iterdir(), key=_order)
    except OSError as error:
        raise ImportRefusedError(f"{folder}: cannot be listed ({error.strerror})") from error
    for entry in entries:
        if entry.name.startswith("."):
            found.pass_over(entry, "hidden")
        elif not entry.is_dir():
            _add_if_known(found, entry)
        elif entry.is_symlink():
            found.pass_over(entry, "a link to a folder")
        else:
            _add_folder(found, entry)


def _add_if_known(found: FoundFiles, path: Path) -> None:
    if not path.is_file():
        found.pass_over(path, "not a file")
    elif kind_of(path) in KINDS:
        found.add(path)
    else:
        found.pass_over(path, f"unknown kind {kind_of(path)!r}")


def _order(path: Path) -> tuple[str, ...]:
    return path.parts


def _add_dataset(found: FoundFiles, folder: Path) -> None:
    """Add the Arrow files of a folder that `save_to_disk` wrote, in their order."""
    splits = folder / _SPLITS
    if splits.is_file():
        for name in _bare_names(splits, _read_json(splits).get("splits")):
            _add_dataset(found, folder / name)
        return
    state = folder / _STATE
    if not state.is_file():
        raise ImportRefusedError(f"{folder}: no {_STATE}, which a folder of datasets has; save it again")
    described = _read_json(state)
    if described.get("_indices_data_files") or described.get("_indices_files"):
        raise ImportRefusedError(f"{state}: selects rows by an index; save it again with flatten_indices()")
    listed = described.get("_data_files")
    names = [item.get("filename") for item in listed if isinstance(item, dict)] if isinstance(listed, list) else None
    for name in _bare_names(state, names):
        path = folder / name
        if not path.is_file():
            raise ImportRefusedError(f"{path}: named by {_STATE}, but there is no such file")
        found.add(path)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            value = json.loads(file.read(_MAX_STATE_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise ImportRefusedError(f"{path}: not readable as JSON: {error}") from error
    if not isinstance(value, dict):
        raise ImportRefusedError(f"{path}: not a JSON object")
    return value


def _bare_names(path: Path, names: object) -> Iterable[str]:
    """Return names that a file states, each of an entry of the folder in which that file lies and nowhere else."""
    if not isinstance(names, list):
        raise ImportRefusedError(f"{path}: does not list its files")
    for name in names:
        if not isinstance(name, str) or name in ("", ".", "..") or name != Path(name).name or "\0" in name:
            raise ImportRefusedError(f"{path}: {name!r} is not the plain name of a file beside it")
        if (path.parent / name).is_symlink():
            raise ImportRefusedError(f"{path}: {name!r} is a link; nothing in a file may lead out of its folder")
    return names
