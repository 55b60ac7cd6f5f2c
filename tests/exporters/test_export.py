"""Exports as a whole: refused pairs, minibatches, the manifest, the record in the store, the same bytes twice."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from tsodata.errors import ExportRefusedError, UnknownNameError, UsageError
from tsodata.exporters import FORMATS, export_build, writing
from tsodata.provenance import Run, content_key

GOLDEN_MANIFEST = Path(__file__).with_name("manifest_jsonl.json")
PAIR_FORMATS = [name for name, to in FORMATS.items() if any(material.holds == "pairs" for material in to.takes)]


def bytes_of(directory):
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("to", PAIR_FORMATS)
def test_pairs_that_no_trainer_can_use_are_counted_by_reason_and_not_written(
    make_store, tmp_path, pairs, refused_pairs, to
):
    store = make_store(*pairs.values(), *refused_pairs)

    report = export_build(store, "first", to=to, out=tmp_path / "out", run=Run("test"))

    assert (report.unit, report.written) == ("pairs", {FORMATS[to].train: 3, FORMATS[to].held_out: 1})
    assert report.refused == Counter(
        prompt_has_own_turns=1, chosen_is_empty=1, rejected_is_empty=1, chosen_equals_rejected=2
    )
    written = b"".join(bytes_of(tmp_path / "out").values())
    assert not any(spec.pair_id.encode() in written for spec in refused_pairs)


def test_a_build_of_refused_pairs_only_is_refused_with_the_reasons(make_store, tmp_path, refused_pairs):
    store = make_store(*refused_pairs[:2])

    with pytest.raises(ExportRefusedError) as caught:
        export_build(store, "first", to="trl", out=tmp_path / "out", run=Run("test"))

    assert str(caught.value) == (
        "build 'first' has no training pair that can be written (chosen_is_empty 1, prompt_has_own_turns 1)"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("to", FORMATS)
def test_the_same_build_gives_the_same_bytes_anywhere(store_for, tmp_path, to):
    store = store_for(to)
    export_build(store, "first", to=to, out=tmp_path / "a", run=Run("test"))
    export_build(store, "first", to=to, out=tmp_path / "b" / "c", run=Run("test"))

    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b" / "c")


def test_reading_in_many_short_runs_neither_loses_nor_repeats_a_row(store, tmp_path, monkeypatch):
    export_build(store, "first", to="jsonl", out=tmp_path / "whole", run=Run("test"))
    monkeypatch.setattr(writing, "RUN_CHARS", 1)
    monkeypatch.setattr(writing, "BATCH_ROWS", 1)
    export_build(store, "first", to="jsonl", out=tmp_path / "cut", run=Run("test"))

    assert bytes_of(tmp_path / "whole") == bytes_of(tmp_path / "cut")


def test_one_minibatch_comes_without_the_held_out_pairs(store, tmp_path, pairs):
    report = export_build(store, "first", to="trl", out=tmp_path / "out", run=Run("test"), minibatch=2)

    assert report.rows == {"train": 2}
    ids = (tmp_path / "out/pair_ids/train.txt").read_text().splitlines()
    assert ids == sorted([pairs["with_system"].pair_id, pairs["multi_turn"].pair_id])
    assert not (tmp_path / "out/data/test-00000-of-00001.parquet").exists()


@pytest.mark.parametrize("to", FORMATS)
def test_the_manifest_lists_every_file_with_its_true_hash(store_for, tmp_path, to):
    report = export_build(store_for(to), "first", to=to, out=tmp_path / "out", run=Run("test"))

    listed = json.loads((tmp_path / "out/manifest.json").read_bytes())["files"]
    found = bytes_of(tmp_path / "out")
    del found["manifest.json"]
    assert {file["path"]: (file["bytes"], file["sha256"]) for file in listed} == {
        path: (len(content), hashlib.sha256(content).hexdigest()) for path, content in found.items()
    }
    assert [(file.path, file.rows) for file in report.files] == [(file["path"], file["rows"]) for file in listed]


def test_the_manifest_is_the_golden_one(store, tmp_path):
    export_build(store, "first", to="jsonl", out=tmp_path / "out", run=Run("test"))

    manifest = json.loads((tmp_path / "out/manifest.json").read_bytes())
    assert sorted(manifest.pop("versions")) == ["pyarrow", "tso"]
    assert manifest == json.loads(GOLDEN_MANIFEST.read_bytes())


def test_an_export_is_recorded_once_for_every_place(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for out in (Path("out"), Path("out"), Path("elsewhere")):
        export_build(store, "first", to="trl", out=out, run=Run("test"))

    manifest_sha256 = hashlib.sha256(Path("out/manifest.json").read_bytes()).hexdigest()
    build_key = content_key("build", "first")
    recorded = store.sql("select * exclude (commit_seq) from exports order by commit_seq").rows()
    places = [str(tmp_path / "out"), str(tmp_path / "elsewhere")]
    keys = [content_key("export", build_key, "trl", None, manifest_sha256, place) for place in places]
    assert recorded == [
        (key, build_key, "trl", place, manifest_sha256, 4, 0) for key, place in zip(keys, places, strict=True)
    ]


def test_an_export_killed_before_it_was_recorded_is_recorded_by_the_next(store, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("tsodata.exporters.exporting._record", lambda *_, **__: None)
        export_build(store, "first", to="trl", out=tmp_path / "out", run=Run("test"))
    assert store.sql("select count(*) from exports").item() == 0

    report = export_build(store, "first", to="trl", out=tmp_path / "out", run=Run("test"))

    assert report.already_there
    assert store.sql("select count(*) from exports").item() == 1


def test_an_unknown_build_is_named_beside_those_there(store, tmp_path):
    with pytest.raises(UnknownNameError) as caught:
        export_build(store, "second", to="trl", out=tmp_path / "out", run=Run("test"))

    assert str(caught.value) == "no build 'second'; the store has: first"


def test_an_unknown_format_is_named_beside_the_known(store, tmp_path):
    with pytest.raises(UsageError) as caught:
        export_build(store, "first", to="csv", out=tmp_path / "out", run=Run("test"))

    assert str(caught.value) == f"no export format 'csv'; known are {', '.join(FORMATS)}"


def test_an_unknown_minibatch_is_named_beside_the_known(store, tmp_path):
    with pytest.raises(UsageError) as caught:
        export_build(store, "first", to="trl", out=tmp_path / "out", run=Run("test"), minibatch=3)

    assert str(caught.value) == "build 'first' has no minibatch 3; it has 1 to 2"


def test_rows_that_the_store_had_counted_and_does_not_give_are_not_passed_over(store, tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "_iter_batches", lambda *_: iter(()))

    with pytest.raises(ExportRefusedError, match="0 of 3 pairs of train were found"):
        export_build(store, "first", to="trl", out=tmp_path / "out", run=Run("test"))
    assert not (tmp_path / "out").exists()
