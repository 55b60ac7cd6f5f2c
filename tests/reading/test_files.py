import gzip
import hashlib
import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from tsodata.errors import ImportRefusedError
from tsodata.reading import RawRow, bare_stem, file_sha256, iter_rows
from tsodata.reading.kinds import KINDS, PACKED

LINES = b'{"a": 1}\n{"a": 2}\n'
TWO_ROWS = [RawRow(1, {"a": 1}), RawRow(2, {"a": 2})]


def written(path, data):
    path.write_bytes(data)
    return path


def zstd(path, data):
    with pa.output_stream(str(path), compression="zstd") as file:
        file.write(data)
    return path


def problems(path):
    return [(row.line, row.problem) for row in iter_rows(path) if row.value is None]


def refusal(path):
    with pytest.raises(ImportRefusedError) as refused:
        list(iter_rows(path))
    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)
    return str(refused.value).removeprefix(f"{path}: ")


def test_json_lines_and_a_json_array_hold_the_same_rows(tmp_path):
    assert list(iter_rows(written(tmp_path / "a.jsonl", LINES))) == TWO_ROWS
    assert list(iter_rows(written(tmp_path / "a.json", b'[{"a": 1},\n {"a": 2}]'))) == TWO_ROWS


def test_the_first_character_tells_an_array_from_lines_whatever_the_suffix(tmp_path):
    assert list(iter_rows(written(tmp_path / "a.jsonl", b' \n[{"a": 1}, {"a": 2}]'))) == TWO_ROWS
    assert list(iter_rows(written(tmp_path / "a.json", LINES))) == TWO_ROWS


def test_a_byte_order_mark_is_not_part_of_the_data(tmp_path):
    assert list(iter_rows(written(tmp_path / "a.jsonl", b"\xef\xbb\xbf" + LINES))) == TWO_ROWS
    assert list(iter_rows(written(tmp_path / "a.csv", b"\xef\xbb\xbfa\n1\n"))) == [RawRow(1, {"a": "1"})]


def test_gz_and_zst_hold_the_same_rows_as_the_plain_file(tmp_path):
    assert list(iter_rows(written(tmp_path / "a.jsonl.gz", gzip.compress(LINES)))) == TWO_ROWS
    assert list(iter_rows(zstd(tmp_path / "a.jsonl.zst", LINES))) == TWO_ROWS
    assert list(iter_rows(zstd(tmp_path / "a.csv.zst", b"a\nx\n"))) == [RawRow(1, {"a": "x"})]


def test_csv_and_tsv_keep_every_value_as_text_and_count_rows(tmp_path):
    data = b'a,b\n"1\n2",x\n,y\n'

    assert list(iter_rows(written(tmp_path / "a.csv", data))) == [
        RawRow(1, {"a": "1\n2", "b": "x"}),
        RawRow(2, {"a": "", "b": "y"}),
    ]
    assert list(iter_rows(written(tmp_path / "a.tsv", b"a\tb\n1\t2\n"))) == [RawRow(1, {"a": "1", "b": "2"})]


@pytest.mark.parametrize("compressed", [False, True])
def test_parquet_rows_keep_their_types(tmp_path, compressed):
    plain = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"a": [1, None], "m": [[{"role": "user"}], None]}), plain)
    path = written(tmp_path / "a.parquet.gz", gzip.compress(plain.read_bytes())) if compressed else plain

    assert list(iter_rows(path)) == [
        RawRow(1, {"a": 1, "m": [{"role": "user"}]}),
        RawRow(2, {"a": None, "m": None}),
    ]


def test_blank_lines_are_no_rows_but_count_as_lines(tmp_path):
    path = written(tmp_path / "a.jsonl", b'\n\n{"a": 1}\n \r\n{"a": 2}\r\n')

    assert list(iter_rows(path)) == [RawRow(3, {"a": 1}), RawRow(5, {"a": 2})]


def test_an_empty_file_has_no_rows(tmp_path):
    for name in ("a.jsonl", "a.json", "a.csv"):
        assert list(iter_rows(written(tmp_path / name, b""))) == []


def test_a_broken_line_is_a_row_with_a_problem_and_the_next_line_is_read(tmp_path):
    path = written(tmp_path / "a.jsonl", b'{"a": \n[1]\n{"a": "\xff"}\n{"a": ' + b"9" * 5000 + b'}\n{"a": 1}\n')

    rows = list(iter_rows(path))

    assert rows[-1] == RawRow(5, {"a": 1})
    assert [line for line, _ in problems(path)] == [1, 2, 3, 4]
    assert rows[0].problem.startswith("not valid JSON: Expecting value")
    assert rows[1].problem == "not a JSON object but list"
    assert rows[2].problem == "not UTF-8 at byte 8 of the line"
    assert rows[3].problem == "not usable JSON: a number of 5000 digits"


def test_json_nested_beyond_all_measure_is_a_problem_of_its_line(tmp_path):
    path = written(tmp_path / "a.jsonl", b"{" + b'"a":{' * 100_000 + b'\n{"a": 1}\n')

    assert [line for line, _ in problems(path)] == [1]


def test_a_csv_row_with_more_or_fewer_fields_than_the_header_is_a_problem(tmp_path):
    path = written(tmp_path / "a.csv", b"a,b\n1\n1,2,3\n1,2\n")

    assert [line for line, _ in problems(path)] == [1, 2]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.xls", b"", "unknown kind of file '.xls'; known are .json"),
        ("a.json", b'[{"a": 1}', "not valid JSON"),
        ("a.json", b"[" * 100_000, "not valid JSON"),
        ("a.json", b'["\xff"]', "not UTF-8"),
        ("a.csv", b"a\n\xff\n", "not UTF-8"),
        ("a.csv", b'a\n"x\n', "not valid CSV in the row from line 2 on"),
        ("a.csv", b"a,a\n1,2\n", "the header names 'a' more than once"),
        ("a.parquet", b"PAR1", "not a readable Parquet file"),
        ("a.parquet", b"PAR1" * 10, "not a readable Parquet file"),
    ],
)
def test_a_file_broken_as_a_whole_is_refused_by_name(tmp_path, name, *, data, words):
    assert words in refusal(written(tmp_path / name, data))


def test_a_missing_file_is_refused_by_name(tmp_path):
    assert refusal(tmp_path / "gone.jsonl") == "no such file"


def test_parquet_columns_of_one_name_are_refused(tmp_path):
    parquet.write_table(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), tmp_path / "a.parquet")

    assert "more than once" in refusal(tmp_path / "a.parquet")


def test_compressed_data_that_is_cut_off_or_garbage_is_refused_by_name(tmp_path):
    lines = b"".join(b'{"a": "%s"}\n' % hashlib.sha256(bytes([i])).hexdigest().encode() for i in range(200))
    whole_gz, whole_zst = gzip.compress(lines), zstd(tmp_path / "whole.jsonl.zst", lines).read_bytes()

    for name, data in (
        ("cut.jsonl.gz", whole_gz[: len(whole_gz) // 2]),
        ("cut.jsonl.zst", whole_zst[: len(whole_zst) // 2]),
        ("wrong.jsonl.gz", b"nothing of the kind"),
        ("wrong.jsonl.zst", b"nothing of the kind"),
    ):
        assert "the compressed data is broken or cut off" in refusal(written(tmp_path / name, data))


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("m.jsonl", "m"),
        ("m.json.gz", "m"),
        ("m.CSV.ZST", "m"),
        ("7b-topp0.9-temp0.7.jsonl", "7b-topp0.9-temp0.7"),
        ("7b-topp0.9", "7b-topp0.9"),
    ],
)
def test_a_bare_stem_loses_the_suffixes_of_kind_and_compression_only(tmp_path, name, stem):
    assert bare_stem(tmp_path / name) == stem


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path):
    # sha256("abc"), FIPS 180-2 appendix B.1
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    assert file_sha256(written(tmp_path / "a.jsonl", b"abc")) == known


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None)
@given(values=st.lists(st.dictionaries(st.text(), JSON, max_size=4), max_size=5))
def test_any_objects_written_as_lines_or_as_an_array_are_read_back(tmp_path_factory, values):
    folder = tmp_path_factory.mktemp("round")
    lines = written(folder / "a.jsonl", "".join(json.dumps(value) + "\n" for value in values).encode())
    array = written(folder / "a.json", json.dumps(values).encode())

    assert [row.value for row in iter_rows(lines)] == values
    assert [row.value for row in iter_rows(array)] == values


def rows_or_error(path):
    try:
        return list(iter_rows(path)), None
    except ImportRefusedError as error:
        return [], str(error)


SUFFIXES = [f"{kind}{packed}" for kind in KINDS for packed in ("", *PACKED)]


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(deadline=None, max_examples=30)
@given(data=st.binary(max_size=200))
def test_any_bytes_under_any_suffix_are_rows_or_refused_in_one_line(tmp_path_factory, suffix, data):
    path = written(tmp_path_factory.getbasetemp() / f"bytes{suffix}", data)
    packed = {".gz": gzip.compress, ".zst": lambda plain: pa.compress(plain, codec="zstd", asbytes=True)}
    contents = [data, packed[path.suffix](data)] if path.suffix in packed else [data]
    for content in contents:
        path.write_bytes(content)
        rows, error = rows_or_error(path)
        assert error is None or (error.startswith(f"{path}: ") and "\n" not in error)
        assert all((row.value is None) == (row.problem is not None) for row in rows)
