"""Whole or not at all: taken places, kills, full disks, two at once."""

import fcntl
import os
import random
import resource
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tsodata.errors import ExportRefusedError, UsageError
from tsodata.exporters import export_build
from tsodata.exporters.files import ParquetRows
from tsodata.provenance import Run

KILLED_IN_THE_SECOND_BATCH = """
import os, signal, sys
from pathlib import Path
from tsodata.exporters import export_build, files, writing
from tsodata.provenance import Run
from tsodata.store import Store

write, n_written = files.ParquetRows.write, 0

def write_or_die(self, batch):
    global n_written
    if n_written == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    n_written += 1
    write(self, batch)

writing.BATCH_ROWS = 1
files.ParquetRows.write = write_or_die
export_build(Store(Path(sys.argv[1])), "first", to="trl", out=Path(sys.argv[2]), run=Run("killed"))
"""


@pytest.fixture
def export(store, tmp_path):
    def export_to_out(to="trl", **options):
        return export_build(store, "first", to=to, out=tmp_path / "place" / "out", run=Run("test"), **options)

    return export_to_out


@pytest.fixture
def place(tmp_path):
    """The folder in which the export stands; nothing else is ever to be left there."""
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_an_export_that_is_there_and_true_is_left_alone(export, place):
    first = export()
    before = (place / "out/manifest.json").stat()

    again = export()

    assert (first.already_there, again.already_there) == (False, True)
    assert (again.rows, again.files) == (first.rows, first.files)
    assert (place / "out/manifest.json").stat().st_ino == before.st_ino


@pytest.mark.parametrize("options", [{"minibatch": 1}, {"to": "h4"}])
def test_another_export_is_replaced_only_when_told_to(export, place, options):
    export()

    with pytest.raises(ExportRefusedError, match="pass --overwrite or another --out"):
        export(**options)
    report = export(**options, overwrite=True)

    assert not report.already_there
    assert names_in(place) == ["out"]
    assert export(**options).already_there


def test_a_changed_export_is_replaced_only_when_told_to(export, place):
    ids = place / "out/pair_ids/train.txt"
    export()
    true_ids = ids.read_bytes()
    ids.write_bytes(b"changed\n")

    with pytest.raises(ExportRefusedError, match="a changed export"):
        export()
    assert ids.read_bytes() == b"changed\n"

    export(overwrite=True)
    assert ids.read_bytes() == true_ids


@pytest.mark.parametrize(
    "name", ["thesis.tex", "manifest.json"], ids=["without a manifest", "with somebody else's manifest"]
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_foreign_directory_is_refused_and_untouched(export, place, name, overwrite):
    (place / "out").mkdir()
    (place / "out" / name).write_text('{"files": []}')

    with pytest.raises(ExportRefusedError, match="is not an export of tso"):
        export(overwrite=overwrite)

    assert (place / "out" / name).read_text() == '{"files": []}'
    assert names_in(place) == ["out"]


def test_a_file_at_the_place_is_refused_and_untouched(export, place):
    (place / "out").write_text("mine")

    with pytest.raises(ExportRefusedError, match="is not an export of tso"):
        export(overwrite=True)
    assert (place / "out").read_text() == "mine"


def test_an_export_that_holds_a_foreign_file_is_not_overwritten(export, place):
    export()
    (place / "out/data/notes.txt").write_text("mine")

    with pytest.raises(ExportRefusedError, match=r"also holds data/notes\.txt"):
        export(minibatch=1, overwrite=True)
    assert (place / "out/data/notes.txt").read_text() == "mine"


def test_an_empty_directory_is_taken(export, place):
    (place / "out").mkdir()

    export()
    assert (place / "out/manifest.json").is_file()


def test_a_directory_that_appears_meanwhile_is_not_touched(export, place, monkeypatch):
    write = ParquetRows.write

    def write_while_somebody_else_does(self, batch):
        (place / "out").mkdir(exist_ok=True)
        (place / "out/mine").touch()
        write(self, batch)

    monkeypatch.setattr(ParquetRows, "write", write_while_somebody_else_does)
    with pytest.raises(ExportRefusedError, match="not written"):
        export()
    assert names_in(place) == ["out"]
    assert names_in(place / "out") == ["mine"]


def test_a_killed_export_leaves_nothing_at_the_place_and_the_next_one_completes(store, export, place):
    command = [sys.executable, "-c", KILLED_IN_THE_SECOND_BATCH, str(store.path), str(place / "out")]
    killed = subprocess.run(command, check=False, capture_output=True, text=True)

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert names_in(place) == [".out.tso-partial"]

    assert export().rows == {"train": 3, "test": 1}
    assert names_in(place) == ["out"]


def test_the_leftover_of_a_killed_overwrite_is_removed_even_when_the_export_stands(export, place):
    export()
    (place / ".out.tso-partial/data").mkdir(parents=True)

    assert export().already_there
    assert names_in(place) == ["out"]


def test_an_export_killed_between_the_two_renames_is_put_back(export, place):
    export()
    (place / "out").rename(place / ".out.tso-retired")

    assert export().already_there
    assert names_in(place) == ["out"]


def test_an_export_killed_before_it_removed_the_old_one_is_tidied(export, place):
    export(minibatch=1)
    (place / "out").rename(place / "old")
    export()
    (place / "old").rename(place / ".out.tso-retired")

    assert export().rows == {"train": 3, "test": 1}
    assert names_in(place) == ["out"]


def test_an_error_while_overwriting_leaves_the_old_export(export, place, monkeypatch):
    export()

    def fail(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ParquetRows, "write", fail)
        with pytest.raises(KeyboardInterrupt):
            export(minibatch=1, overwrite=True)

    assert names_in(place) == ["out"]
    assert export().already_there


def test_a_disk_that_takes_no_more_is_one_clear_line_and_leaves_nothing(make_store, pairs, place):
    noise = random.Random(0).randbytes(100_000).hex()
    store = make_store(replace(pairs["single"], chosen=noise))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(ExportRefusedError) as caught:
            export_build(store, "first", to="trl", out=place / "out", run=Run("test"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert str(caught.value) == f"{place / 'out'}: not written (File too large); make room, or pass another --out"
    assert names_in(place) == []


def test_two_exports_to_one_place_do_not_mix(export, place):
    (place / ".out.tso-partial").mkdir()
    descriptor = os.open(place / ".out.tso-partial", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with pytest.raises(ExportRefusedError, match="another process is writing there"):
            export()
        assert names_in(place) == [".out.tso-partial"]
    finally:
        os.close(descriptor)

    assert not export().already_there


def test_a_link_to_a_directory_is_followed(export, place, tmp_path):
    (tmp_path / "disk2").mkdir()
    (place / "out").symlink_to(tmp_path / "disk2" / "out")

    export()
    assert (place / "out").is_symlink()
    assert (tmp_path / "disk2/out/manifest.json").is_file()
    assert export().already_there


def test_the_root_is_no_place(store):
    with pytest.raises(UsageError, match="cannot be an export's directory"):
        export_build(store, "first", to="trl", out=Path("/"), run=Run("test"))
