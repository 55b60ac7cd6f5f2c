"""Chat records: every row of a file is one, or has a reason why not, and a place."""

import json

import pyarrow as pa
import pytest
from pyarrow import parquet

from tsodata.errors import ImportRefusedError
from tsotrain.errors import TrainError
from tsotrain.records import ChatRecord, Refusal, iter_records, record_files, records_sha256

ASKED, SAID = {"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}


def write(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows))
    return path


def read(path):
    return list(iter_records(record_files(path)))


def test_a_record_keeps_its_id_its_turns_and_its_split(tmp_path):
    path = write(tmp_path / "a.jsonl", {"id": 7, "messages": [ASKED, SAID], "split": "held_out", "score": 8.0})

    assert read(path) == [ChatRecord("7", (ASKED, SAID), is_held_out=True)]


def test_a_record_without_an_id_is_named_by_its_place(tmp_path):
    path = write(tmp_path / "a.jsonl", {"messages": [ASKED, SAID]}, {"messages": [ASKED, SAID]})

    assert [record.record_id for record in read(path)] == [f"{path}:1", f"{path}:2"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("not json\n", "not valid JSON: Expecting value: line 1 column 1 (char 0)"),
        ({"text": "hi"}, "no list of messages"),
        ({"messages": ["hi"]}, "no list of messages"),
        ({"messages": [ASKED, {"role": "tool", "content": "4"}, SAID]}, "a role that is not system, user or assistant"),
        ({"messages": [ASKED, {"role": "assistant", "content": None}]}, "a message without text"),
        ({"messages": [ASKED, SAID, ASKED]}, "no answer of the assistant behind a prompt"),
        ({"messages": [SAID]}, "no answer of the assistant behind a prompt"),
        ({"messages": [ASKED, SAID], "split": "dev"}, "its split is neither train nor held_out"),
    ],
)
def test_a_row_that_is_no_record_has_its_reason_and_place(tmp_path, row, reason):
    path = write(tmp_path / "a.jsonl", {"messages": [ASKED, SAID]}, row)

    assert read(path)[1] == Refusal(f"{path}:2", reason)


def test_a_second_record_with_the_same_id_is_refused(tmp_path):
    path = write(tmp_path / "a.jsonl", *[{"id": "r", "messages": [ASKED, SAID]}] * 2)

    assert read(path)[1] == Refusal(f"{path}:2", "an earlier record has its id")


def test_of_an_exports_folder_the_data_is_read_and_file_names_tell_the_split(tmp_path):
    write(tmp_path / "manifest.json", {"files": []})
    write(tmp_path / "data" / "held_out.jsonl", {"messages": [ASKED, SAID]})
    rows = [{"messages": [ASKED, SAID]}, {"messages": [ASKED, SAID]}]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "data" / "train-00000-of-00001.parquet")

    assert [record.is_held_out for record in read(tmp_path)] == [True, False, False]


def test_other_kinds_of_files_are_refused_with_the_way_out(tmp_path):
    with pytest.raises(TrainError, match=r"a\.csv: records are read from JSON lines and Parquet"):
        record_files(write(tmp_path / "a.csv", "messages\n"))
    with pytest.raises(ImportRefusedError, match="no such file or folder"):
        record_files(tmp_path / "none")


def test_the_hash_of_records_is_that_of_their_bytes_in_order(tmp_path):
    first, second = write(tmp_path / "1.jsonl", "a"), write(tmp_path / "2.jsonl", "b")

    assert records_sha256([first, second]) != records_sha256([second, first])
    assert records_sha256([first]) == records_sha256([write(tmp_path / "3.jsonl", "a")])
