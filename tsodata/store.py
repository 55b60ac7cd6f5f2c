"""The store: one DuckDB file. Only this module and the two under it, connecting and schema, speak DuckDB.

A process holds the file only for the length of a transaction, because DuckDB lets nobody else in meanwhile, not even a
reader. Whoever finds it held waits, up to `wait_s`, and then says which process has it. Rows are only ever appended;
each transaction writes one line of the commit log, with the count and the xor of the keys that it added.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

from tsodata import queries
from tsodata.acknowledged import Mark, write_mark
from tsodata.connecting import Config, connected, first_line, last_commit, memory_bound, opened
from tsodata.errors import QueryError, StoreError, StoreMissingError
from tsodata.provenance import Run, content_key, storable, utc_now
from tsodata.records import column_names
from tsodata.schema import apply_file, keep_copy, make_store, missing_files, undo

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from tsodata.records import Record

DEFAULT_PATH = "tso.duckdb"
DEFAULT_WAIT_S = 60.0
DEFAULT_SQL_MEMORY = "1GB"
DEFAULT_SQL_TIMEOUT_S = 600.0
SNAPSHOT_TABLES = (
    "sources",
    "prompts",
    "prompt_origins",
    "responses",
    "rubrics",
    "scores",
    "corrections",
    "preferences",
)
_PRESENT_TOO = {"shown_responses": "responses"}  # a row is there already when its key stands in either table
_LOCKED_DOWN = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
}


class Snapshot(NamedTuple):
    """The state of the material at a commit; the key is the same on every machine that holds the same rows."""

    key: int
    commit_seq: int


@dataclass(frozen=True, slots=True)
class Reader:
    """A read-only view of the store, for the length of a `with` block."""

    connection: duckdb.DuckDBPyConnection

    def rows(self, path: str, **parameters: object) -> list[tuple[Any, ...]]:
        """Return the rows of a SQL file."""
        return self.connection.execute(queries.load(path).sql, parameters or None).fetchall()

    def frame(self, path: str, **parameters: object) -> pl.DataFrame:
        """Return the rows of a SQL file as a polars frame."""
        frame: pl.DataFrame = self.connection.sql(queries.load(path).sql, params=parameters or None).pl()
        return frame

    def arrow(self, path: str, **parameters: object) -> pa.Table:
        """Return the rows of a SQL file as an Arrow table."""
        return self.connection.sql(queries.load(path).sql, params=parameters or None).to_arrow_table()

    def batches(self, path: str, *, rows: int, **parameters: object) -> pa.RecordBatchReader:
        """Return the rows of a SQL file as a stream of Arrow batches."""
        return self.connection.sql(queries.load(path).sql, params=parameters or None).to_arrow_reader(rows)

    def keep(self, name: str, path: str, *, append: bool = False, **parameters: object) -> None:
        """Keep the rows of a SQL file as a temporary table of this reader, or append them to one.

        A table has no order, so the file's last clause, its `order by`, is left out.
        """
        head = f"insert into {name}" if append else f"create or replace temp table {name} as"
        sql, _, _ = queries.load(path).sql.rpartition("\norder by ")
        self.connection.execute(f"{head} {sql}", parameters or None)

    def define(self, name: str, text: str) -> None:
        """Give a SELECT a name that the SQL files of this reader can use: a temporary view."""
        self.connection.execute(f"create or replace temp view {name} as {text}")

    def keep_text(self, name: str, text: str) -> None:
        """Keep the rows of a SELECT as a temporary table of this reader."""
        self.connection.execute(f"create or replace temp table {name} as {text}")

    def snapshot(self, commit_seq: int | None = None) -> Snapshot:
        """Return the snapshot at a commit, or of all that this reader sees."""
        at = last_commit(self.connection).commit_seq if commit_seq is None else commit_seq
        totals = self.rows("store/snapshot", tables=list(SNAPSHOT_TABLES), commit_seq=at)
        return Snapshot(content_key("snapshot", totals), at)

    def stored(self, record_type: type[Record], span: tuple[int, int], *, rows: int) -> pa.RecordBatchReader:
        """Return the stored records of a type as a stream of Arrow batches, those of the commits of a span."""
        columns = ", ".join(column_names(record_type))
        text = f"select {columns} from {record_type.table} where commit_seq between $first_seq and $last_seq"
        return self.connection.sql(text, params={"first_seq": span[0], "last_seq": span[1]}).to_arrow_reader(rows)


@dataclass(frozen=True, slots=True)
class Transaction(Reader):
    """An open transaction. What it appends is there once the `with` block ends, whole, or not at all."""

    commit_seq: int
    touched: set[str] = field(default_factory=set)

    def append(self, records: Mapping[type[Record], list[Record]]) -> dict[str, list[int]]:
        """Append the records whose keys are not there yet.

        Returns per table the positions, in its list, of the records that were new. Of equal records the first counts.
        """
        import pyarrow as pa

        added = {}
        for record_type, rows in records.items():
            names = column_names(record_type)
            columns = dict(zip(names, zip(*(row.values() for row in rows), strict=True), strict=True))
            schema = self._arrow_schema(record_type.table)
            table = pa.table({name: pa.array(columns[name], schema.field(name).type) for name in names})
            added[record_type.table] = self._append_new(record_type.table, table)
        return added

    def insert(self, name: str, table: pa.Table) -> None:
        """Append all rows of an Arrow table whose columns are the table's, less `commit_seq`."""
        self.connection.register("incoming", table)
        columns = ", ".join(table.column_names)
        self.connection.execute(f"insert into {name} ({columns}, commit_seq) select *, {self.commit_seq} from incoming")
        self.connection.unregister("incoming")
        self.touched.add(name)

    def _append_new(self, name: str, table: pa.Table) -> list[int]:
        import pyarrow as pa

        key = table.column_names[0]
        numbered = table.append_column("position", pa.array(range(table.num_rows), pa.int64()))
        self.connection.register("incoming", numbered)
        elsewhere = f"anti join {_PRESENT_TOO[name]} using ({key}) " if name in _PRESENT_TOO else ""
        self.connection.execute(
            f"create or replace temp table fresh as select * from incoming anti join {name} using ({key}) {elsewhere}"
            f"qualify row_number() over (partition by {key} order by position) = 1"
        )
        columns = ", ".join(table.column_names)
        self.connection.execute(
            f"insert into {name} ({columns}, commit_seq) "
            f"select {columns}, {self.commit_seq} from fresh order by position"
        )
        positions = [
            int(row[0]) for row in self.connection.execute("select position from fresh order by position").fetchall()
        ]
        self.connection.unregister("incoming")
        if positions:
            self.touched.add(name)
        return positions

    def _arrow_schema(self, name: str) -> pa.Schema:
        return self.connection.sql(f"select * from {name} limit 0").to_arrow_table().schema

    def write_log(self, run_key: int, file_key: int | None) -> None:
        """Write this transaction's line of the commit log."""
        self.connection.execute(
            "insert into commits values (?, ?, ?, ?)", [self.commit_seq, run_key, file_key, utc_now()]
        )
        for name in sorted(self.touched):
            key = self.connection.execute(f"select * from {name} limit 0").description[0][0]
            self.connection.execute(
                f"insert into commit_tables select {self.commit_seq}, '{name}', count(*), bit_xor({key}) "
                f"from {name} where commit_seq = {self.commit_seq}"
            )


@dataclass(frozen=True, slots=True)
class Store:
    """A store at a path. Holds no connection: each transaction opens the file, commits and closes it.

    `memory` bounds what DuckDB keeps in memory, as '1GB'; what does not fit goes to a folder beside the store for the
    time being. None leaves DuckDB its own bound, 80 % of the machine's memory.
    """

    path: Path
    wait_s: float = DEFAULT_WAIT_S
    memory: str | None = None

    @classmethod
    def open(cls, path: str | Path | None = None, *, create: bool = False, wait_s: float | None = None) -> Store:
        """Return the store at a path ($TSO_STORE, else ./tso.duckdb), its schema brought up to date.

        $TSO_WAIT_S stands in for `wait_s`; $TSO_MEMORY bounds the memory.

        Raises:
            UsageError: $TSO_MEMORY is not an amount of memory.
            StoreMissingError: there is none, and `create` is off.
            StoreBusyError: another process holds it for longer than `wait_s`.
            StoreDamagedError: rows that were reported as stored are missing.
            StoreTooNewError, ForeignStoreError: it is not ours to open.
        """
        store = cls.at(path, wait_s=wait_s)
        if not store.path.exists() and not create:
            raise StoreMissingError(f"no store at {store.path}; make one with: tso-data init --store {store.path}")
        store.migrate()
        return store

    @classmethod
    def at(cls, path: str | Path | None = None, *, wait_s: float | None = None) -> Store:
        """Return the store at a path ($TSO_STORE, else ./tso.duckdb) as it is, there or not."""
        wait = float(os.environ.get("TSO_WAIT_S", DEFAULT_WAIT_S)) if wait_s is None else wait_s
        return cls(Path(path or os.environ.get("TSO_STORE") or DEFAULT_PATH), wait, memory_bound())

    def migrate(self, schema_root: Traversable | None = None) -> list[str]:
        """Apply the schema files that the store lacks, each in a transaction, and return their names.

        A copy of the store is kept beside it first, unless it is new.
        """
        shipped = queries.schema_files(schema_root)
        if not self.path.exists() and make_store(self.path, shipped, wait_s=self.wait_s):
            return [file.name for file in shipped]
        with self._opened(read_only=True) as connection:
            missing = missing_files(connection, shipped, self.path)
        if not missing:
            return []
        with self._opened() as connection:
            missing = missing_files(connection, shipped, self.path)
            if missing and missing[0].seq > 1:
                copy = self.path.with_name(f"{self.path.name}.before-{missing[0].seq:03d}")
                keep_copy(connection, self.path, copy)
            for file in missing:
                apply_file(connection, file)
        return [file.name for file in missing]

    @contextmanager
    def run(self, run: Run) -> Iterator[Run]:
        """Record a run, and how it ended: done, failed or interrupted."""
        header = (run.key, run.command, run.arguments, run.config_sha256, run.seed, run.versions, run.started_at)
        try:
            with self.transaction(run) as transaction:
                transaction.connection.execute(
                    "insert into runs values (?, ?, ?, ?, ?, ?, ?, ?)", [*header, transaction.commit_seq]
                )
                transaction.touched.add("runs")
            yield run
            self._end(run, "done", None)
        except KeyboardInterrupt:
            self._end_badly(run, "interrupted", None)
            raise
        except Exception as error:
            self._end_badly(run, "failed", storable(str(error)))
            raise

    def _end_badly(self, run: Run, status: str, detail: str | None) -> None:
        with contextlib.suppress(StoreError):  # what ended the run is worth more than that its end cannot be recorded
            with self.reader() as reader:
                is_open = bool(reader.rows("store/is_open", run=run.key))
            if is_open:
                self._end(run, status, detail)

    def _end(self, run: Run, status: str, detail: str | None) -> None:
        with self.transaction(run) as transaction:
            transaction.connection.execute(
                "insert into run_outcomes values (?, ?, ?, ?, ?)",
                [run.key, status, detail, utc_now(), transaction.commit_seq],
            )
            transaction.touched.add("run_outcomes")

    @contextmanager
    def transaction(self, run: Run, *, file_key: int | None = None) -> Iterator[Transaction]:
        """Open the store for one transaction of a run; commit at the end of the block, undo on any error.

        Once the block has ended, the disk has the rows, and the commit is noted as acknowledged beside the store.
        """
        with self._opened() as connection:
            try:
                connection.execute("begin")
                transaction = Transaction(connection, last_commit(connection).commit_seq + 1)
                yield transaction
                transaction.write_log(run.key, file_key)
                connection.execute("commit")
                write_mark(self.path, Mark(transaction.commit_seq, run.key))
            except duckdb.InterruptException:
                undo(connection)
                raise
            except duckdb.Error as error:
                undo(connection)
                raise StoreError(f"{self.path}: nothing of this step was stored: {first_line(error)}") from error
            except BaseException:
                undo(connection)
                raise

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """Open the store read-only for the length of the block."""
        with self._opened(read_only=True) as connection:
            try:
                yield Reader(connection)
            except duckdb.InterruptException:
                raise
            except duckdb.Error as error:
                raise StoreError(f"{self.path} cannot be read: {first_line(error)}") from error

    @staticmethod
    @contextmanager
    def in_memory() -> Iterator[Reader]:
        """Open an empty store in memory, as the schema files make it."""
        with connected(Path(":memory:"), wait_s=0.0) as connection:
            for file in queries.schema_files():
                apply_file(connection, file)
            yield Reader(connection)

    def sql(self, text: str, parameters: Mapping[str, object] | None = None) -> pl.DataFrame:
        """Return the result of one SQL statement as a polars frame; the connection can read the store and nothing else.

        Raises:
            QueryError: the statement is refused or fails.
        """
        with self.locked_down() as connection:
            frame: pl.DataFrame = run_statement(connection, text, parameters).pl()
        return frame

    def query(self, name: str, **parameters: object) -> pl.DataFrame:
        """Return the result of a named query (`tso-data query --list`) as a polars frame."""
        query = queries.named(name)
        bound = query.bind({key: str(value) for key, value in parameters.items() if value is not None})
        return self.sql(query.sql, bound)

    @contextmanager
    def locked_down(
        self, *, memory: str = DEFAULT_SQL_MEMORY, timeout_s: float = DEFAULT_SQL_TIMEOUT_S
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open a connection for foreign SQL: read-only, no files, no network, no settings, bounded time and memory."""
        config = {**_LOCKED_DOWN, "memory_limit": memory}
        with self._opened(read_only=True, config=config) as connection:
            connection.execute("set lock_configuration = true")
            is_late = threading.Event()

            def stop() -> None:
                is_late.set()
                connection.interrupt()

            timer = threading.Timer(timeout_s, stop)
            timer.daemon = True
            timer.start()
            try:
                yield connection
            except duckdb.InterruptException as error:
                if not is_late.is_set():
                    raise
                raise QueryError(f"the query was stopped after {timeout_s:g} s; pass --timeout for more") from error
            except duckdb.OutOfMemoryException as error:
                raise QueryError(f"the query needs more than {memory} of memory; pass --memory for more") from error
            except duckdb.Error as error:
                raise QueryError(first_line(error)) from error
            finally:
                timer.cancel()

    def _opened(
        self, *, read_only: bool = False, config: Config | None = None
    ) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        bound = {"memory_limit": self.memory} if self.memory else {}
        return opened(self.path, wait_s=self.wait_s, read_only=read_only, config={**bound, **(config or {})})


def run_statement(
    connection: duckdb.DuckDBPyConnection, text: str, parameters: Mapping[str, object] | None = None
) -> duckdb.DuckDBPyRelation:
    """Return the relation of exactly one SELECT-like statement.

    Raises:
        QueryError: there is none, more than one, or it is not a query.
    """
    try:
        statements = connection.extract_statements(text)
    except duckdb.Error as error:
        raise QueryError(first_line(error)) from error
    if len(statements) != 1:
        raise QueryError(f"one statement at a time; this is {len(statements)}")
    relation = connection.sql(text, params=dict(parameters) if parameters else None)
    if relation is None:
        raise QueryError("this statement returns no rows; the store is read with SELECT and changed by the commands")
    return relation
