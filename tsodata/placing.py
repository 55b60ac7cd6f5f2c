"""Directories, and single files, that are there whole or not at all.

A directory is made beside its place under a hidden name and renamed when it is complete. A lock on the hidden
directory tells a leftover of a killed process from the work of a living one. Knows nothing of what is inside.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tsodata.errors import ExportRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def placed_whole(target: Path, *, replacing: bool) -> Iterator[Path]:
    """Yield an empty directory that takes the place of `target` at the end of the block; any error removes it.

    With `replacing`, what stands at `target` stays until then and is removed; without, it is never touched.

    Raises:
        ExportRefusedError: another process is writing to the same place.
        OSError: the disk refuses, or `target` has appeared in the meantime.
    """
    partial, retired = _partial_of(target), _retired_of(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial.mkdir(exist_ok=True)
    with _locked(partial, target):
        try:
            _empty(partial)
            yield partial
            _sync_tree(partial)
            if replacing:
                target.replace(retired)
            partial.replace(target)
            sync_directory(target.parent)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            restore(target)
            raise
    shutil.rmtree(retired, ignore_errors=True)


@contextmanager
def placed_file(target: Path) -> Iterator[IO[bytes]]:
    """Yield a new file that takes the place of `target` at the end of the block; any error leaves what was there.

    Raises:
        OSError: the disk refuses.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", suffix=".tso-partial", dir=target.parent)
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.chmod(0o666 & ~_umask())  # mkstemp's files are the owner's alone
        partial.replace(target)
        sync_directory(target.parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def restore(target: Path) -> None:
    """Put back what a process killed between two renames had moved aside, or remove it where its place is taken."""
    retired = _retired_of(target)
    if not retired.exists():
        return
    if target.exists():
        shutil.rmtree(retired, ignore_errors=True)
    else:
        retired.replace(target)


def remove_leftover(target: Path) -> None:
    """Remove what a killed process had begun to write beside `target`; the work of a living one stays."""
    partial = _partial_of(target)
    if not partial.is_dir():
        return
    descriptor = os.open(partial, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    else:
        shutil.rmtree(partial)
    finally:
        os.close(descriptor)


def _partial_of(target: Path) -> Path:
    return target.with_name(f".{target.name}.tso-partial")


def _retired_of(target: Path) -> Path:
    return target.with_name(f".{target.name}.tso-retired")


@contextmanager
def _locked(partial: Path, target: Path) -> Iterator[None]:
    descriptor = os.open(partial, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_ours = os.path.samestat(os.fstat(descriptor), partial.stat())
        except (BlockingIOError, FileNotFoundError):
            is_ours = False
        if not is_ours:
            raise ExportRefusedError(f"{target}: another process is writing there; wait for it, or pass another --out")
        yield
    finally:
        os.close(descriptor)


def _empty(directory: Path) -> None:
    for entry in directory.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _sync_tree(directory: Path) -> None:
    for folder in (directory, *(entry for entry in directory.rglob("*") if entry.is_dir())):
        sync_directory(folder)


def sync_directory(directory: Path) -> None:
    """Have the disk take the names of a directory."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
