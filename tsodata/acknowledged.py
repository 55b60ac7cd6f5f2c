"""The last commit that was reported as stored, kept in a small file beside the store.

A write-ahead log that is cut, lost, or broken in its last entry does not fail: DuckDB opens the store at an earlier
commit and says nothing. Nor can the store tell by itself, since the commit log is lost with the rows. So each commit,
once it is on the disk, is noted here, and whoever opens the store compares. Knows nothing of DuckDB.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tsodata.errors import StoreDamagedError, StoreError
from tsodata.placing import sync_directory
from tsodata.provenance import format_id

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINE = re.compile(rb"commit (\d{20}) run1-([0-9a-f]{16})\n")


class Mark(NamedTuple):
    """A commit and the run that made it; commit 0 is the empty store."""

    commit_seq: int
    run_key: int


def mark_path(store_path: Path) -> Path:
    """Return where the mark of a store lies."""
    return store_path.with_name(f"{store_path.name}.acknowledged")


def read_mark(store_path: Path) -> Mark | None:
    """Return the mark of a store, or None where it has none.

    Raises:
        StoreDamagedError: the file is there and is no mark.
    """
    path = mark_path(store_path)
    try:
        match = _LINE.fullmatch(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror}); it tells whether {store_path} is whole") from error
    if not match:
        raise StoreDamagedError(f"{path} is damaged; to go on without it, run: tso-data recover --store {store_path}")
    return Mark(int(match[1]), int(match[2], 16))


def write_mark(store_path: Path, mark: Mark) -> None:
    """Write the mark of a store; the disk has it when this returns.

    The line is always as long and is written in place, so that a full disk takes it too.

    Raises:
        StoreError: the disk does not take it.
    """
    path = mark_path(store_path)
    try:
        is_new = not path.exists()
        with _opened(path) as descriptor:
            os.pwrite(descriptor, f"commit {mark.commit_seq:020d} {format_id('run', mark.run_key)}\n".encode(), 0)
            os.fsync(descriptor)
        if is_new:
            sync_directory(path.parent)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({error.strerror}); commit {mark.commit_seq} is stored all the same"
        ) from error


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
