"""A disk that is full: one line, nothing lost, and a rerun completes once there is room."""

import contextlib
import json
import os
import subprocess

import duckdb
import pytest

from tsodata import queries
from tsodata.provenance import Run
from tsodata.records import Prompt, Response, Source
from tsodata.store import Store

IS_LONG = "TSO_TORTURE" in os.environ
BUILD_KB = [0, 40, 200, 400] if IS_LONG else [40]
MIGRATION_KB = [0, 100, 400] if IS_LONG else [100]


def fill(disk, *, but_kb=0):
    """Leave no room on a disk but some kilobytes, and return the file that takes it."""
    path = disk / "filler"
    with contextlib.suppress(OSError), path.open("ab", buffering=0) as file:
        while file.write(bytes(4096)) == 4096:
            pass
    with path.open("r+b") as file:
        file.truncate(max(0, path.stat().st_size // 4096 * 4096 - but_kb * 1024))
    return path


def give_room(disk):
    """Make the disk larger, as somebody who removes other files would."""
    subprocess.run(["mount", "-o", "remount,size=200m", str(disk)], check=True)


def one_line(said):
    lines = [line for line in said.strip().splitlines() if line.startswith("tso-data: error")]
    assert len(lines) == 1, said
    assert "Traceback" not in said
    return lines[0]


def test_an_import_says_so_keeps_what_it_reported_and_goes_on(command, write_rows, small_disk, violations):
    name, path = write_rows(1_500, n_noise=4_000), small_disk / "s.duckdb"
    command.run("init", "--store", str(path))

    process = command.start("import", "records", name, "--models", "models.csv", "--store", str(path))
    _, said = process.communicate()

    assert process.returncode == 3, said
    assert "No space left" in one_line(said) or "nothing of this step was stored" in one_line(said)
    reported = max((int(line.split()[1]) for line in said.splitlines() if line.endswith(" rows")), default=0)
    assert violations(path) == []
    stored = Store.open(path).sql("select count(*) from responses").item()
    assert stored >= reported

    give_room(small_disk)
    command.run("import", "records", name, "--models", "models.csv", "--store", str(path))
    assert violations(path) == []
    assert Store.open(path).sql("select count(*) from responses").item() == 1_500 * 4


@pytest.mark.parametrize("free_kb", BUILD_KB)
def test_a_build_is_stored_whole_or_not_and_a_rerun_completes(command, write_rows, small_disk, violations, free_kb):
    path = small_disk / "s.duckdb"
    command.run("import", "records", write_rows(300), "--models", "models.csv", "--store", str(path))
    words = ("build-pairs", "b", "--base", "m/v2/7", "--recipe", "weighted", "--allow-short", "--store", str(path))
    filler = fill(small_disk, but_kb=free_kb)

    process = command.start(*words)
    out, said = process.communicate()

    assert process.returncode in (0, 3), out + said
    if process.returncode:
        one_line(said)
    filler.unlink()
    assert violations(path) == []
    if not process.returncode:
        assert Store.open(path).sql("select count(*) from builds").item() == 1
    command.run(*words)
    assert violations(path) == []


def test_an_export_is_refused_and_leaves_nothing(command, write_rows, small_disk, tmp_path, violations):
    path = tmp_path / "s.duckdb"
    command.run("import", "records", write_rows(300, n_noise=500), "--models", "models.csv", "--store", str(path))
    command.run("build-pairs", "b", "--base", "m/v2/7", "--recipe", "weighted", "--allow-short", "--store", str(path))
    words = ("export", "b", "--to", "jsonl", "--out", str(small_disk / "out"), "--store", str(path))
    filler = fill(small_disk, but_kb=64)

    assert "make room" in one_line(command.run(*words, code=1))

    assert [entry.name for entry in small_disk.iterdir()] == ["filler"]
    filler.unlink()
    command.run(*words)
    assert violations(path) == []


@pytest.mark.parametrize("free_kb", MIGRATION_KB)
def test_a_migration_does_not_begin_without_a_whole_copy(command, small_disk, tmp_path, violations, free_kb):
    root, path = tmp_path / "old", small_disk / "s.duckdb"
    (root / "schema").mkdir(parents=True)
    for file in queries.schema_files()[:2]:
        (root / "schema" / file.name).write_text(file.sql)
    store = Store(path, 5.0)
    store.migrate(root)
    prompt, source = Prompt.of_user("q"), Source.model("m")
    answers = [Response(prompt.prompt_key, source.source_key, f"{i} {hash(str(i))}" * 9) for i in range(500)]
    with store.run(Run("old")) as run, store.transaction(run) as transaction:
        transaction.append({Prompt: [prompt], Source: [source], Response: answers})
    filler = fill(small_disk, but_kb=free_kb)

    said = one_line(command.run("init", "--store", str(path), code=3))

    assert "was not changed" in said
    assert sorted(entry.name for entry in small_disk.iterdir()) == ["filler", "s.duckdb", "s.duckdb.acknowledged"]
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute("select count(*) from responses").fetchall() == [(500,)]
        assert connection.execute("select count(*) from schema_files").fetchall() == [(2,)]
    filler.unlink()
    command.run("init", "--store", str(path))
    assert violations(path) == []
    assert path.with_name(f"{path.name}.before-003").exists()


def test_a_store_is_not_made_where_there_is_no_room(command, small_disk):
    filler = fill(small_disk, but_kb=100)

    one_line(command.run("init", "--store", str(small_disk / "s.duckdb"), code=3))

    assert [entry.name for entry in small_disk.iterdir() if "acknowledged" not in entry.name] == ["filler"]
    filler.unlink()
    command.run("init", "--store", str(small_disk / "s.duckdb"))


def test_rows_that_only_the_log_could_take_are_still_there(command, write_rows, small_disk, violations):
    """With the disk full at the end of a step, its rows stay in the write-ahead log; they are not lost."""
    path = small_disk / "s.duckdb"
    command.run("import", "records", write_rows(20), "--models", "models.csv", "--store", str(path))
    for n in range(1, 60):
        fill(small_disk, but_kb=100)
        rows = write_rows(3, name=f"{n}.jsonl", first=1000 * n)
        process = command.start("import", "records", rows, "--models", "models.csv", "--store", str(path), "--json")
        out, _ = process.communicate()
        if process.returncode == 0:
            assert json.loads(out)[0]["accepted"] == 12
            break
    assert violations(path) == []
