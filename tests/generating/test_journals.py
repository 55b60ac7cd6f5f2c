"""Runs that share no store: journals hold what a store would, under the same keys."""

import pytest
from pyarrow import parquet

from tsodata.checks import check_store
from tsodata.errors import UsageError
from tsodata.generating import Shard
from tsodata.importers import import_files
from tsodata.provenance import Run

TABLES = {
    "responses": "response_key, prompt_key, source_key, text, sample_index, settings_key, seed, previous_key",
    "calls": "request_key, task, engine, model, attempt, prompt_key, response_key, settings_key, failure, "
    "n_prompt_tokens",
    "replies": "served_model, prompt_sha256",
    "settings": "settings_key, body",
}


def content(store):
    return {table: store.sql(f"select {columns} from {table} order by all").rows() for table, columns in TABLES.items()}


def take_in(store, folder):
    with store.run(Run.of_process({})) as header:
        return import_files(store, "journal", [folder], run=header)


def test_shards_that_are_imported_give_what_one_run_gives(copied, ask_for, fill, tmp_path):
    whole, parts = copied("whole.duckdb"), copied("parts.duckdb")
    with ask_for(n_samples=2, faults={"server_error": 0.2}) as (_, ask):
        fill(whole, ask, max_attempts=50)
    for part in range(2):
        with ask_for(n_samples=2, faults={"server_error": 0.2}, shard=Shard(part, 2)) as (_, ask):
            fill(parts, ask, journals=tmp_path / "j", max_attempts=50)

    reports = take_in(parts, tmp_path / "j")

    assert sum(report.failed.total() for report in reports) == 0
    assert content(parts) == content(whole)
    assert [f.check.name for f in check_store(parts).findings if f.check.level == "violation"] == []
    again = take_in(parts, tmp_path / "j")
    assert sum(report.accepted for report in again) == 0


def test_a_run_goes_on_from_the_journals_in_its_folder(copied, ask_for, fill, tmp_path):
    store = copied()
    with ask_for(faults={"server_error": 0.5}) as (_, ask):
        (first,) = fill(store, ask, journals=tmp_path / "j", max_attempts=1)
    with ask_for() as (endpoint, ask):
        (second,) = fill(store, ask, journals=tmp_path / "j")

    assert 0 < first.sums.n_done < 8
    assert endpoint.n_asked == second.n_lacking == 8 - first.sums.n_done
    assert store.sql("select count(*) from responses").item() == 0


def test_journals_of_another_policy_do_not_count(copied, ask_for, fill, tmp_path, register):
    store = copied()
    with ask_for(dataset="single") as (endpoint, ask):
        fill(store, ask, journals=tmp_path / "j")
        register(store, "owl/v1/7", "sha-1")
        fill(store, ask, journals=tmp_path / "j")

    assert endpoint.n_asked == 10


def test_the_files_of_a_run_become_one_and_none_is_half_written(copied, ask_for, fill, tmp_path, monkeypatch):
    monkeypatch.setattr("tsodata.runner.keeping.BATCH_ROWS", 1)
    monkeypatch.setattr("tsodata.journals.MERGE_FILES", 3)
    with ask_for() as (_, ask):
        fill(copied(), ask, journals=tmp_path / "j", concurrency=1)

    (path,) = (tmp_path / "j").iterdir()
    assert path.suffix == ".parquet"
    assert parquet.read_table(path).num_rows == 8


def test_rows_that_do_not_fit_their_keys_are_refused(run_import):
    row = {
        "call_key": "0" * 16, "request_key": "1" * 16, "prompt_key": "2" * 16, "engine": "openai", "model": "m",
        "task": "generate", "messages": '[{"role": "user", "content": "q"}]', "attempt": 1, "failure": "timeout",
    }  # fmt: skip
    report = run_import("journal", [row, {**row, "call_key": "x"}, {**row, "messages": "[1]"}, {"a": 1}])

    assert report.failed == {"bad_content": 2, "wrong_type": 1, "missing_field": 1}
    assert "the messages are not those of the prompt's key" in report.first_refusals[0]


def test_a_folder_that_cannot_be_made_is_said(copied, ask_for, fill, tmp_path):
    (tmp_path / "file").write_text("")
    with ask_for() as (_, ask), pytest.raises(UsageError, match="pass another --journal"):
        fill(copied(), ask, journals=tmp_path / "file" / "j")
