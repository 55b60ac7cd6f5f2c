"""A signal that comes while DuckDB is at work is an interruption like any other."""

import duckdb
import pytest

from tsodata.errors import QueryError
from tsodata.provenance import Run


@pytest.mark.parametrize("error", [duckdb.InterruptException("Interrupted"), RuntimeError("Query interrupted")])
def test_the_run_is_on_record_as_interrupted_and_nothing_of_its_step(store, error):
    def interrupted():
        with store.run(Run("test")) as run, store.transaction(run) as transaction:
            transaction.connection.execute("insert into recipes values (1, '{}', 1)")
            raise error

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert store.sql("select status from v_runs").item() == "interrupted"
    assert store.sql("select count(*) from recipes").item() == 0


def test_foreign_sql_that_is_interrupted_did_not_take_too_long(store):
    def interrupted():
        with store.locked_down():
            raise duckdb.InterruptException("Interrupted")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with pytest.raises(QueryError, match="stopped after"), store.locked_down(timeout_s=0.2) as connection:
        connection.execute("select count(*) from range(1000000000000) as a, range(1000000) as b").fetchall()


def test_another_error_of_python_stays_what_it_is(store):
    def failing():
        with store.reader():
            raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        failing()
