"""The mark of the last stored commit: a log that is cut, lost or flipped is told, and there is a way out."""

import os
import signal
import subprocess
import sys

import pytest

from tsodata import connecting
from tsodata.acknowledged import Mark, mark_path, read_mark, write_mark
from tsodata.checks import check_store
from tsodata.connecting import wal_path
from tsodata.errors import StoreDamagedError
from tsodata.provenance import Run
from tsodata.records import Prompt
from tsodata.recovery import recover
from tsodata.store import Store

# adds two prompts, and dies right after the second has been reported as stored: its rows are in the log alone
DIES = """
import os, signal, sys
from tsodata import store as module
from tsodata.provenance import Run
from tsodata.records import Prompt

store, run = module.Store.open(sys.argv[1]), Run("dies")
note = module.write_mark

def note_and_die(path, mark):
    note(path, mark)
    os.kill(os.getpid(), signal.SIGKILL)

def add(text):
    with store.transaction(run) as transaction:
        transaction.append({Prompt: [Prompt.of_user(text)]})

with store.run(run):
    add("first")
    module.write_mark = note_and_die
    add("second")
"""


@pytest.fixture
def killed(store):
    done = subprocess.run([sys.executable, "-c", DIES, store.path], check=False)
    assert done.returncode == -signal.SIGKILL
    return store


def add(store, text):
    with store.run(Run("add")) as run, store.transaction(run) as transaction:
        transaction.append({Prompt: [Prompt.of_user(text)]})


def prompts(store):
    return store.sql("select text from prompts order by text").to_series().to_list()


def cut(path):
    os.truncate(path, path.stat().st_size // 2)


def empty(path):
    os.truncate(path, 0)


def flip(position):
    def flip_one(path):
        data = bytearray(path.read_bytes())
        data[position if position >= 0 else len(data) + position] ^= 0x40
        path.write_bytes(data)

    return flip_one


SILENT = {"cut": cut, "emptied": empty, "lost": os.remove, "flipped in the size of its last entry": flip(-20)}
LOUD = {"flipped at its beginning": flip(8), "flipped in the middle": flip(300), "flipped at its end": flip(-10)}


def files(store):
    return {path.name: path.read_bytes() for path in store.path.parent.iterdir() if path.name.startswith("s.duckdb")}


def test_rows_that_are_in_the_log_alone_are_there(killed):
    assert wal_path(killed.path).stat().st_size > 0
    assert prompts(killed) == ["first", "second"]
    add(killed, "third")
    assert prompts(killed) == ["first", "second", "third"]


@pytest.mark.parametrize("broken", SILENT)
def test_a_log_that_opens_at_an_earlier_commit_is_told_and_nothing_is_changed(killed, broken):
    SILENT[broken](wal_path(killed.path))
    before = files(killed)

    for use in (Store.open, lambda path: add(Store(path, 1.0), "third"), lambda path: prompts(Store(path, 1.0))):
        with pytest.raises(StoreDamagedError, match=r"ends at commit 2, but commit 3 of run1-.*tso-data recover"):
            use(killed.path)

    assert files(killed) == before


@pytest.mark.parametrize("broken", LOUD)
def test_a_log_that_cannot_be_replayed_is_told_and_nothing_is_changed(killed, broken):
    LOUD[broken](wal_path(killed.path))
    before = files(killed)

    for use in (Store.open, lambda path: add(Store(path, 1.0), "third")):
        with pytest.raises(StoreDamagedError, match=r"cannot be replayed .*tso-data recover"):
            use(killed.path)

    assert files(killed) == before


@pytest.mark.parametrize("broken", SILENT | LOUD)
def test_recovering_keeps_the_log_records_the_loss_and_goes_on(killed, broken):
    wal = wal_path(killed.path)
    (SILENT | LOUD)[broken](wal)
    log = wal.read_bytes() if wal.exists() else None

    recovery = recover(killed)

    assert (recovery.last_commit, recovery.stored_commit) == (2, 3)
    assert (recovery.set_aside.read_bytes() if recovery.set_aside else None) == log
    assert '"stored_commit":3' in killed.sql("select arguments from v_runs order by started_at desc limit 1").item()
    add(killed, "second")
    assert prompts(killed) == ["first", "second"]
    assert check_store(killed).is_clean


def test_recovering_a_whole_store_changes_nothing(killed):
    before = files(killed)

    assert recover(killed) is None
    assert files(killed) == before


def test_an_older_copy_put_in_the_place_of_a_store_is_told(store):
    add(store, "first")
    older = store.path.read_bytes()
    add(store, "second")
    store.path.write_bytes(older)

    with pytest.raises(StoreDamagedError, match="another copy was put in its place"):
        Store.open(store.path)


def test_another_store_with_as_many_commits_is_told(store, tmp_path):
    add(store, "first")
    other = Store.open(tmp_path / "other.duckdb", create=True)
    add(other, "first")
    store.path.write_bytes(other.path.read_bytes())

    with pytest.raises(StoreDamagedError, match="ends at commit 3, but commit 3"):
        Store.open(store.path)


def test_a_mark_that_is_behind_or_lacks_stops_nobody(store):
    add(store, "first")
    mark = read_mark(store.path)
    add(store, "second")
    write_mark(store.path, mark)
    assert prompts(store) == ["first", "second"]

    mark_path(store.path).unlink()
    assert [finding.check.name for finding in check_store(store).findings] == ["unmarked-store"]
    add(store, "third")
    assert read_mark(store.path).commit_seq == 9


def test_a_store_that_is_shown_late_is_looked_at_again(store, monkeypatch):
    with store.run(Run("one")):
        pass
    look, shown = connecting.lost_commits, []

    def late(connection, path):
        shown.append(len(shown))
        return (Mark(1, 1), Mark(2, 2)) if len(shown) == 1 else look(connection, path)

    monkeypatch.setattr(connecting, "lost_commits", late)

    with store.reader() as reader:
        assert reader.snapshot().commit_seq > 1
    assert shown == [0, 1]


def test_a_mark_that_cannot_be_read_is_told_and_set_aside_by_recovering(store):
    add(store, "first")
    mark_path(store.path).write_text("nonsense")

    with pytest.raises(StoreDamagedError, match="tso-data recover"):
        Store.open(store.path)
    assert recover(store).last_commit == 3
    assert mark_path(store.path).with_name("s.duckdb.acknowledged.broken-1").read_text() == "nonsense"
    assert prompts(store) == ["first"]


def test_a_mark_is_as_long_at_every_commit(store):
    write_mark(store.path, Mark(1, 5))
    size = mark_path(store.path).stat().st_size
    write_mark(store.path, Mark(2**63 - 1, 2**64 - 1))

    assert mark_path(store.path).stat().st_size == size
    assert read_mark(store.path) == (2**63 - 1, 2**64 - 1)


def test_a_log_without_its_store_stops_a_new_one_from_being_made(store):
    store.path.rename(store.path.with_name("elsewhere"))
    wal_path(store.path).write_bytes(b"left behind")

    with pytest.raises(StoreDamagedError, match="put the store back"):
        Store.open(store.path, create=True)


def test_a_store_whose_pages_are_flipped_is_told_in_one_line(store):
    add(store, "first")
    data = bytearray(store.path.read_bytes())
    for position in range(20_000, len(data), 1_000):
        data[position] ^= 0x40
    store.path.write_bytes(data)

    with pytest.raises(StoreDamagedError, match=r"s\.duckdb"):
        Store.open(store.path)
