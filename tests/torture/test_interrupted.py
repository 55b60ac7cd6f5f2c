"""Ctrl-C and SIGTERM: exit code 130, the run on record as interrupted, and a rerun that completes."""

import os
import signal
import time

import pytest

from tsodata.store import Store

IS_LONG = "TSO_TORTURE" in os.environ
DELAYS_S = (0.0, 0.02, 0.1, 0.3) if IS_LONG else (0.02,)
MOMENTS = [(number, delay_s) for number in (signal.SIGINT, signal.SIGTERM) for delay_s in DELAYS_S]
BUILD = ("build-pairs", "b", "--base", "m/v2/7", "--recipe", "weighted", "--allow-short")


def interrupted(command, words, moment, *, path):
    """Start a command, send it a signal once its run is on record, and return its exit code and what it said."""
    n_runs = Store.open(path).sql("select count(*) from runs").item()
    process = command.start(*words, "--store", str(path))
    while process.poll() is None and Store.open(path, wait_s=20).sql("select count(*) from runs").item() == n_runs:
        time.sleep(0.005)
    number, delay_s = moment
    time.sleep(delay_s)
    process.send_signal(number)
    out, said = process.communicate()
    assert "Traceback" not in said
    return process.returncode, out + said


def last_run(path):
    return Store.open(path).sql("select status from v_runs order by started_at desc limit 1").item()


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_import_is_recorded_as_interrupted_and_goes_on(command, write_rows, tmp_path, violations, moment):
    path = tmp_path / "s.duckdb"
    words = ("import", "records", write_rows(3_000), "--models", "models.csv")
    command.run("init", "--store", str(path))

    code, said = interrupted(command, words, moment, path=path)

    assert (code, last_run(path)) == (130, "interrupted"), said
    assert said.strip().endswith("what was reported as stored is stored, and running it again goes on")
    assert violations(path) == []
    command.run(*words, "--store", str(path))
    assert Store.open(path).sql("select count(*) from responses").item() == 12_000


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_build_and_an_export_are_interrupted_or_done(command, write_rows, tmp_path, violations, moment):
    path = tmp_path / "s.duckdb"
    command.run("import", "records", write_rows(300), "--models", "models.csv", "--store", str(path))
    for words in (BUILD, ("export", "b", "--to", "jsonl", "--out", str(tmp_path / "out"))):
        code, said = interrupted(command, words, moment, path=path)

        assert (code, last_run(path)) in ((130, "interrupted"), (0, "done"), (130, "done")), said
        assert violations(path) == []
        command.run(*words, "--store", str(path))
    assert violations(path) == []
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []
