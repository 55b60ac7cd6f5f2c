"""The schema of a store's file: which of its files are applied, making a new store, and the copy before a change.

A new store appears at its path whole, by renaming; a copy is one whole file or none. Knows nothing of the rows.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from tsodata.acknowledged import Mark, write_mark
from tsodata.connecting import connected, first_line, wal_path
from tsodata.errors import (
    ForeignStoreError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreTooNewError,
)
from tsodata.placing import sync_directory
from tsodata.provenance import utc_now
from tsodata.queries import SchemaFile

_SCHEMA_LOG = """
create table if not exists schema_files (
    seq integer primary key, name varchar not null, file_sha256 varchar not null, applied_at timestamp not null
)
"""
_COPY = """
import shutil, sys
try:
    shutil.copyfile(sys.argv[1], sys.argv[2])
except OSError as error:
    sys.exit(error.strerror)
"""


def missing_files(
    connection: duckdb.DuckDBPyConnection, shipped: Sequence[SchemaFile], path: Path
) -> Sequence[SchemaFile]:
    """Return the schema files that a store lacks.

    Raises:
        ForeignStoreError, StoreTooNewError: it is not a store, or not one that these files have made.
    """
    tables = {row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()}
    if "schema_files" not in tables:
        if tables:
            some = ", ".join(sorted(tables)[:3])
            raise ForeignStoreError(
                f"{path} is a DuckDB file but not a store of tso (it has {some}); name another path"
            )
        return shipped
    applied = connection.execute("select seq, name, file_sha256 from schema_files order by seq").fetchall()
    for position, (seq, name, sha256) in enumerate(applied, 1):
        if seq != position:
            raise ForeignStoreError(f"{path}: schema file {position} was never applied; restore the store from a copy")
        if seq > len(shipped):
            raise StoreTooNewError(f"{path} was written by a newer tso (schema file {name}); upgrade tso")
        if sha256 != shipped[seq - 1].sha256:
            raise ForeignStoreError(
                f"{path}: schema file {name} differs from the one in this tso; use the tso that made it"
            )
    return shipped[len(applied) :]


def apply_file(connection: duckdb.DuckDBPyConnection, file: SchemaFile) -> None:
    """Apply one schema file in a transaction, and have the disk take it."""
    try:
        connection.execute("begin")
        connection.execute(_SCHEMA_LOG)
        connection.execute(file.sql)
        connection.execute(
            "insert into schema_files values (?, ?, ?, ?)", [file.seq, file.name, file.sha256, utc_now()]
        )
        connection.execute("commit")
        connection.execute("force checkpoint")
    except duckdb.InterruptException:
        undo(connection)
        raise
    except duckdb.Error as error:
        undo(connection)
        raise StoreError(f"schema file {file.name} could not be applied: {first_line(error)}") from error


def undo(connection: duckdb.DuckDBPyConnection) -> None:
    """End the open transaction, if there is one, without its changes."""
    try:
        connection.execute("rollback")
    except duckdb.Error:
        return  # the failed statement has ended the transaction already


def make_store(path: Path, shipped: Sequence[SchemaFile], *, wait_s: float) -> bool:
    """Make a new store at a path, unless another process has just made it; say whether this one did.

    Raises:
        StoreError: the disk refuses, or the log of a lost store lies there.
    """
    with _only_maker(path, wait_s):
        if path.exists():
            return False
        if wal_path(path).exists():
            raise StoreDamagedError(
                f"{wal_path(path)} is there, but {path} is not: put the store back, or move its log away"
            )
        fresh = path.with_name(f".{path.name}.tso-new")
        try:
            _remove(fresh)
            with connected(fresh, wait_s=wait_s) as connection:
                for file in shipped:
                    apply_file(connection, file)
            _sync(fresh)
            write_mark(path, Mark(0, 0))
            fresh.replace(path)
            sync_directory(path.parent)
        except OSError as error:
            raise StoreError(f"{path} cannot be made: {error.strerror}") from error
        finally:
            _remove(fresh)
    return True


def keep_copy(connection: duckdb.DuckDBPyConnection, path: Path, copy: Path) -> None:
    """Copy a store that this connection holds, after taking in its log; the copy is there whole or not at all.

    Raises:
        StoreError: the disk refuses.
    """
    partial = copy.with_name(f".{copy.name}.tso-partial")
    try:
        connection.execute("force checkpoint")
        # another process copies: closing the file in this one would give up DuckDB's lock on it
        command = [sys.executable, "-Ic", _COPY, str(path), str(partial)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own words
        if done.returncode != 0:
            said = done.stderr.strip().splitlines() or ["the copying process was killed"]
            raise StoreError(f"{path} was not changed: its copy {copy.name} could not be written ({said[-1]})")
        _sync(partial)
        partial.replace(copy)
        sync_directory(copy.parent)
    except (OSError, duckdb.Error) as error:
        raise StoreError(f"{path} was not changed: its copy {copy.name} could not be written ({error})") from error
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _only_maker(path: Path, wait_s: float) -> Iterator[None]:
    """Hold the directory of a store that is being made, so that two processes do not make it at once."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise StoreError(f"{path} cannot be made: {error.strerror}") from error
    deadline = time.monotonic() + wait_s
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StoreBusyError(f"{path} is being made by another process (waited {wait_s:g} s)") from None
                time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


def _remove(file: Path) -> None:
    for leftover in (file, wal_path(file)):
        leftover.unlink(missing_ok=True)


def _sync(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
