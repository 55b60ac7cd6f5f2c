"""Going on with a store whose write-ahead log is broken, cut or lost: on request, recorded, and deleting nothing.

The log is kept under another name; what the store still holds is opened; the loss is written down as a run.
"""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tsodata.acknowledged import Mark, mark_path, read_mark, write_mark
from tsodata.connecting import connected, last_commit, lost_commits, wal_path
from tsodata.errors import StoreDamagedError, StoreError, StoreMissingError
from tsodata.placing import sync_directory
from tsodata.provenance import Run

if TYPE_CHECKING:
    from pathlib import Path

    from tsodata.store import Store


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a recovery found: the last commit that is left, the one that was stored, and the file set aside."""

    last_commit: int
    stored_commit: int | None
    set_aside: Path | None


def recover(store: Store) -> Recovery | None:
    """Open a damaged store at the last commit that can be read, and return what is lost, or None where nothing is.

    Raises:
        StoreMissingError: there is no file.
        StoreDamagedError: the file itself is damaged, not only its log.
    """
    path, wait_s = store.path, store.wait_s
    if not path.exists():
        raise StoreMissingError(f"no store at {path}")
    try:
        set_aside = _set_broken_log_aside(path, wait_s)
        found = _found(path, wait_s)
        if found is None and set_aside is None:
            return None
        last, stored = found or (None, None)
        if last is not None:
            set_aside = set_aside or _copy_log_aside(path)
            write_mark(path, last)
    except OSError as error:
        raise StoreError(f"{path} cannot be recovered now: {error.strerror}") from error
    return _recorded(store, stored=stored, set_aside=set_aside)


def _recorded(store: Store, *, stored: Mark | None, set_aside: Path | None) -> Recovery:
    store.migrate()
    with store.reader() as reader:
        left = reader.snapshot().commit_seq
    recovery = Recovery(left, stored.commit_seq if stored else None, set_aside)
    kept = None if set_aside is None else set_aside.name
    with store.run(Run.of_process({"last_commit": left, "stored_commit": recovery.stored_commit, "set_aside": kept})):
        return recovery


def _found(path: Path, wait_s: float) -> tuple[Mark, Mark | None] | None:
    """Return the last commit and the one that was stored, where they differ or the second cannot be read."""
    with connected(path, wait_s=wait_s, read_only=True) as connection:
        try:
            read_mark(path)
        except StoreDamagedError:
            mark_path(path).replace(_free_name(mark_path(path)))
            return last_commit(connection), None
        return lost_commits(connection, path)


def _set_broken_log_aside(path: Path, wait_s: float) -> Path | None:
    wal = wal_path(path)
    try:
        with connected(path, wait_s=wait_s, read_only=True):
            return None
    except StoreDamagedError:
        if not wal.exists():
            raise
    kept = _free_name(wal)
    wal.replace(kept)
    try:
        with connected(path, wait_s=wait_s, read_only=True):
            sync_directory(path.parent)
    except StoreError:
        kept.replace(wal)  # the log was not what is broken
        raise
    return kept


def _copy_log_aside(path: Path) -> Path | None:
    """Keep a copy of a log that can be replayed in part, because the next writer takes it in and removes it."""
    wal = wal_path(path)
    with contextlib.suppress(FileNotFoundError):
        kept = _free_name(wal)
        shutil.copyfile(wal, kept)
        return kept
    return None


def _free_name(path: Path) -> Path:
    """Return the first name `PATH.broken-N` that is not taken."""
    number = 1
    while (free := path.with_name(f"{path.name}.broken-{number}")).exists():
        number += 1
    return free
