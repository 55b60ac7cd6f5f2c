"""Opening the file of a store: waiting for who holds it, and telling what is wrong with it.

A connection is given out only when the store still has the commit that was last reported as stored. A store whose
write-ahead log was left behind is looked at read-only first, because a writer takes the log in and removes it.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from tsodata.acknowledged import Mark, read_mark
from tsodata.errors import (
    ForeignStoreError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreTooNewError,
    UsageError,
)
from tsodata.provenance import format_id

_MEMORY = re.compile(r"\d+(\.\d+)?\s*[KMGT]i?B", re.IGNORECASE)
_LOCK_PID = re.compile(r"PID (\d+)")
_LOOKS = 4
_LOOK_AGAIN_S = 0.1
Config = dict[str, Any]


@contextmanager
def opened(
    path: Path, *, wait_s: float, read_only: bool = False, config: Config | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a store's file for the length of the block.

    Raises:
        StoreBusyError: another process holds it for longer than `wait_s`.
        StoreDamagedError: rows that were reported as stored are missing.
        StoreTooNewError, ForeignStoreError: it is not ours to open.
    """
    if not read_only and wal_path(path).exists():
        with _whole(path, wait_s=wait_s, read_only=True, config=None):
            pass
    with _whole(path, wait_s=wait_s, read_only=read_only, config=config) as connection:
        yield connection


@contextmanager
def _whole(path: Path, *, wait_s: float, read_only: bool, config: Config | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the file once it is seen to hold the last commit that was reported as stored.

    A reader that opens it just as a writer leaves can be shown the state before the writer's (DuckDB 2.0: 1 of 3,000
    openings, three writers and five readers at once). Looked at again, such a store is whole, and a damaged one is not.
    """
    for look in range(1, _LOOKS + 1):
        with connected(path, wait_s=wait_s, read_only=read_only, config=config) as connection:
            lost = _lost(connection, path)
            if lost is None:
                yield connection
                return
            if look == _LOOKS:
                raise _lost_error(path, *lost)
        time.sleep(_LOOK_AGAIN_S)


@contextmanager
def connected(
    path: Path, *, wait_s: float, read_only: bool = False, config: Config | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB file for the length of the block, whatever is in it."""
    connection = _connect(path, wait_s, read_only=read_only, config=config or {})
    try:
        yield connection
    except (duckdb.InterruptException, RuntimeError) as error:
        if isinstance(error, RuntimeError) and str(error) != "Query interrupted":
            raise
        raise KeyboardInterrupt from error  # a signal that came while DuckDB was at work, which words it in two ways
    finally:
        connection.close()


def memory_bound() -> str | None:
    """Return $TSO_MEMORY, what DuckDB may keep in memory, or None where it is not set.

    Raises:
        UsageError: it is not an amount of memory.
    """
    memory = os.environ.get("TSO_MEMORY", "").strip() or None
    if memory and not _MEMORY.fullmatch(memory):
        raise UsageError(f"TSO_MEMORY={memory!r} is not an amount such as 512MB or 2GB")
    return memory


def wal_path(path: Path) -> Path:
    """Return where DuckDB keeps the write-ahead log of a file."""
    return path.with_name(f"{path.name}.wal")


def last_commit(connection: duckdb.DuckDBPyConnection) -> Mark:
    """Return the last commit that a store holds; commit 0 where it holds none, or is no store."""
    try:
        rows = connection.execute("select commit_seq, run_key from commits order by commit_seq desc limit 1").fetchall()
    except duckdb.CatalogException:
        rows = []
    return Mark(*rows[0]) if rows else Mark(0, 0)


def first_line(error: Exception) -> str:
    """Return the first line of an error of DuckDB, without its full stop."""
    return str(error).strip().splitlines()[0].rstrip(".")


def lost_commits(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[Mark, Mark] | None:
    """Return the last commit that is there and the one that was reported as stored, or None where it is there."""
    mark = read_mark(path)
    if mark is None or mark.commit_seq == 0:
        return None
    last = last_commit(connection)
    if last.commit_seq >= mark.commit_seq:
        at = connection.execute("select run_key from commits where commit_seq = ?", [mark.commit_seq]).fetchall()
        if at and at[0][0] == mark.run_key:
            return None
    return last, mark


def _lost(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[Mark, Mark] | None:
    try:
        return lost_commits(connection, path)
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        raise _open_error(path, error) from error


def _lost_error(path: Path, last: Mark, mark: Mark) -> StoreDamagedError:
    stored = f"commit {mark.commit_seq} of {format_id('run', mark.run_key)} was stored"
    return StoreDamagedError(
        f"{path} ends at commit {last.commit_seq}, but {stored}: its log was cut or lost, or another copy was put "
        f"in its place. Put back the file and its .wal, or go on without what is lost: "
        f"tso-data recover --store {path}"
    )


def _connect(path: Path, wait_s: float, *, read_only: bool, config: Config) -> duckdb.DuckDBPyConnection:
    deadline = time.monotonic() + wait_s
    pause = 0.01
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only, config=config)
        except (duckdb.IOException, duckdb.ConnectionException) as error:
            if not _is_busy(error):
                raise _open_error(path, error) from error
            if time.monotonic() > deadline:
                raise _busy_error(path, error, wait_s) from error
        except duckdb.Error as error:
            raise _open_error(path, error) from error
        time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  jitter, not a secret
        pause = min(pause * 1.5, 0.1)


def _is_busy(error: Exception) -> bool:
    return "Could not set lock" in str(error) or "different configuration" in str(error)


def _busy_error(path: Path, error: Exception, wait_s: float) -> StoreBusyError:
    match = _LOCK_PID.search(str(error))
    pid = int(match[1]) if match else os.getpid()
    return StoreBusyError(f"{path} is held by process {pid} (waited {wait_s:g} s); try again, or pass --wait", pid)


def _open_error(path: Path, error: Exception) -> StoreError:
    text = first_line(error)
    if "not a valid DuckDB database file" in text:
        return ForeignStoreError(f"{path} is not a DuckDB file; name another path with --store")
    if "replaying WAL" in text:
        why = text.rpartition(f'{wal_path(path).name}": ')[2]
        return StoreDamagedError(
            f"{wal_path(path)} cannot be replayed ({why}); nothing was changed. Put back a good copy of it, or set it "
            f"aside and go on without what it held: tso-data recover --store {path}"
        )
    if "newer version" in text:
        return StoreTooNewError(f"{path} was written by a newer DuckDB; upgrade duckdb")
    if "Corrupt" in text or "checksum" in text:
        return StoreDamagedError(f"{path} is damaged ({text}); restore it from a copy")
    return StoreError(f"{path} cannot be opened: {text}")
