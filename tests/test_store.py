"""The store: transactions, other processes, the schema, and foreign SQL."""

import subprocess
import sys

import duckdb
import pyarrow as pa
import pytest

from tsodata import queries
from tsodata.checks import check_store
from tsodata.errors import (
    ForeignStoreError,
    QueryError,
    StoreBusyError,
    StoreError,
    StoreMissingError,
    StoreTooNewError,
    UsageError,
)
from tsodata.provenance import Run
from tsodata.records import Prompt, Source
from tsodata.store import Store

HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


def add(store, *texts):
    with store.run(Run("test")) as run, store.transaction(run) as transaction:
        return transaction.append({Prompt: [Prompt.of_user(text) for text in texts]})


def test_the_same_record_twice_adds_nothing(store):
    assert add(store, "a", "b", "a") == {"prompts": [0, 1]}
    assert add(store, "b", "c") == {"prompts": [1]}


def test_an_error_in_a_transaction_leaves_nothing(store):
    def failing():
        with store.run(Run("test")) as run, store.transaction(run) as transaction:
            transaction.append({Prompt: [Prompt.of_user("a")]})
            raise KeyError

    with pytest.raises(KeyError):
        failing()

    assert store.sql("select count(*) from prompts").item() == 0
    assert store.sql("select status from v_runs").item() == "failed"


def test_the_commit_log_adds_up_to_the_tables(store):
    add(store, "a")
    add(store, "b", "c")

    logged = store.sql("select sum(n_rows), bit_xor(keys_xor) from commit_tables where table_name = 'prompts'").row(0)
    assert logged == store.sql("select count(*), bit_xor(prompt_key) from prompts").row(0)


def test_a_store_that_another_process_holds_is_told_with_its_pid(store):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(store.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        holder.stdout.readline()
        with pytest.raises(StoreBusyError, match=f"held by process {holder.pid}") as caught:
            Store.open(store.path, wait_s=0.2)
    finally:
        holder.communicate()

    assert caught.value.pid == holder.pid


def test_a_missing_store_is_not_made_by_reading(tmp_path):
    with pytest.raises(StoreMissingError, match="tso-data init"):
        Store.open(tmp_path / "none.duckdb")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "x.duckdb"
    path.write_text("not a database" * 1000)

    with pytest.raises((ForeignStoreError, StoreError), match=r"x\.duckdb"):
        Store.open(path)


def test_somebody_elses_database_is_refused(tmp_path):
    path = tmp_path / "x.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table theirs (i integer)")

    with pytest.raises(ForeignStoreError, match="it has theirs"):
        Store.open(path)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ("insert into schema_files values (99, '099_later.sql', 'x', now()::timestamp)", ForeignStoreError),
        (
            "insert into schema_files select count(*) + 1, 'later', 'x', now() from schema_files",
            StoreTooNewError,
        ),
        ("update schema_files set file_sha256 = 'x' where seq = 2", ForeignStoreError),
        ("delete from schema_files where seq = 1", ForeignStoreError),
    ],
)
def test_a_schema_that_is_not_ours_is_refused(store, change, error):
    with duckdb.connect(str(store.path)) as connection:
        connection.execute(change)

    with pytest.raises(error):
        Store.open(store.path)


def test_a_migration_keeps_a_copy_and_is_applied_once(store, tmp_path):
    schema = tmp_path / "root" / "schema"
    schema.mkdir(parents=True)
    for file in queries.schema_files():
        (schema / file.name).write_text(file.sql, encoding="utf-8")
    number = f"{len(queries.schema_files()) + 1:03d}"
    (schema / f"{number}_more.sql").write_text("create table more (i integer);")

    assert store.migrate(tmp_path / "root") == [f"{number}_more.sql"]
    assert store.migrate(tmp_path / "root") == []
    assert store.path.with_name(f"{store.path.name}.before-{number}").exists()


def test_calls_from_before_their_settings_were_kept_have_none(tmp_path):
    schema = tmp_path / "root" / "schema"
    schema.mkdir(parents=True)
    for file in queries.schema_files()[:9]:
        (schema / file.name).write_text(file.sql, encoding="utf-8")
    old = Store.at(tmp_path / "old.duckdb")
    old.migrate(tmp_path / "root")
    with old.run(Run("old")) as run, old.transaction(run) as transaction:
        row = {
            "call_key": 1,
            "request_key": 2,
            "prompt_key": 3,
            "task": "generate",
            "engine": "e",
            "model": "m",
            "attempt": 1,
        }
        transaction.insert("calls", pa.Table.from_pylist([row]))

    store = Store.open(old.path)

    assert store.sql("select model, settings_id, settings from v_calls").rows() == [("m", None, None)]
    assert [f.check.name for f in check_store(store).findings if f.check.name == "commit-log"] == []


@pytest.mark.parametrize(
    "statement",
    [
        "insert into runs select * from runs",
        "create table x (i integer)",
        "copy (select 1) to 'x.csv'",
        "select * from read_text('/etc/hostname')",
        "select * from '/etc/hostname'",
        "attach 'x.duckdb'",
        "install httpfs",
        "set memory_limit = '9GB'",
        "select 1; select 2",
        "select nothing from nowhere",
    ],
)
def test_foreign_sql_can_only_read_the_store(store, statement):
    with pytest.raises(QueryError):
        store.sql(statement)


def test_a_query_that_never_ends_is_stopped(store):
    with pytest.raises(QueryError, match=r"stopped after 0\.3 s"), store.locked_down(timeout_s=0.3) as connection:
        connection.execute("select count(*) from range(1000000000000) as a, range(1000000) as b").fetchall()


def test_memory_is_bounded_by_the_environment(store, monkeypatch):
    monkeypatch.setenv("TSO_MEMORY", "300MB")

    with Store.open(store.path).reader() as reader:
        limit = reader.connection.execute("select current_setting('memory_limit')").fetchall()[0][0]
    assert limit == "286.1 MiB"  # 300e6 bytes over 2**20


def test_an_amount_of_memory_that_cannot_be_meant_is_refused(store, monkeypatch):
    monkeypatch.setenv("TSO_MEMORY", "much")

    with pytest.raises(UsageError, match="TSO_MEMORY='much' is not an amount such as 512MB"):
        Store.open(store.path)


def test_a_kept_table_holds_all_rows_though_its_order_is_left_out(store):
    with store.run(Run("test")) as run, store.transaction(run) as transaction:
        transaction.append({Source: [Source.people("b"), Source.people("a")]})

    with store.reader() as reader:
        reader.keep("kept", "matrix/sources")
        reader.keep("kept", "matrix/sources", append=True)
        families = reader.connection.execute("select family from kept order by family").fetchall()
    assert families == [("a",), ("a",), ("b",), ("b",)]
