"""Files that lie, burst, or hold what no row may hold: a counted refusal, or one line for the file."""

import datetime as dt
import decimal
import gzip
import io
import json
import math
import tracemalloc

import pyarrow as pa
import pytest
from pyarrow import parquet

from tsodata.errors import ImportRefusedError
from tsodata.importers.context import Refused, maybe_text, number
from tsodata.reading import Limits, RawRow, arrow_rows, iter_rows, parse_json


def written(path, data):
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def zstd(data):
    return pa.compress(data, codec="zstd", asbytes=True)


def problems(path, limits=None):
    return {row.line: row.problem for row in iter_rows(path, limits) if row.value is None}


def refusal(path, limits=None):
    with pytest.raises(ImportRefusedError) as refused:
        list(iter_rows(path, limits))
    message = str(refused.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


ROWS = [{"a": "x" * 20, "b": 1}, {"a": "x", "b": 2}]


def as_kind(path, rows):
    """Write rows in the kind that a path's suffix names."""
    table = pa.Table.from_pylist(rows)
    if path.suffix == ".jsonl":
        return written(path, "".join(json.dumps(row) + "\n" for row in rows))
    if path.suffix == ".json":
        return written(path, json.dumps(rows))
    if path.suffix == ".csv":
        return written(
            path, "".join(",".join(map(str, line)) + "\n" for line in (rows[0], *(r.values() for r in rows)))
        )
    if path.suffix == ".parquet":
        parquet.write_table(table, path)
    elif path.suffix == ".arrow":
        with pa.ipc.new_stream(str(path), table.schema) as writer:
            writer.write_table(table)
    else:
        import openpyxl

        book = openpyxl.Workbook()
        for line in (list(rows[0]), *(list(row.values()) for row in rows)):
            book.active.append(line)
        book.save(path)
    return path


KINDS = ("jsonl", "json", "csv", "parquet", "arrow", "xlsx")


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_beyond_its_limit_costs_its_row_alone(tmp_path, kind):
    path = as_kind(tmp_path / f"a.{kind}", ROWS)

    (problem,) = problems(path, Limits(string_chars=19)).values()

    assert problem == "a text of 20 characters, more than the 19 that are read"
    assert problems(path, Limits(string_chars=20)) == {}
    assert [row.value["a"] for row in iter_rows(path, Limits(string_chars=19)) if row.value] == ["x"]


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "arrow", "xlsx"])
def test_a_row_beyond_its_bytes_fails_and_the_next_is_read(tmp_path, kind):
    path = as_kind(tmp_path / f"a.{kind}", [{"a": "x" * 200, "b": 1}, {"a": "x", "b": 2}])
    limits = Limits(row_bytes=100)

    assert list(problems(path, limits).values()) == ["more than 100 bytes, the most that a row may have"]
    assert [row.value["a"] for row in iter_rows(path, limits) if row.value] == ["x"]


def test_a_csv_row_beyond_its_bytes_fails_but_a_line_or_field_beyond_them_hides_where_the_next_row_begins(tmp_path):
    long_row = written(tmp_path / "row.csv", f'a,b\n"{"x" * 50}\n{"y" * 50}",{"z" * 20}\n1,2\n')
    long_line = written(tmp_path / "line.csv", "a,b\n" + "x" * 200 + ",1\n")
    long_field = written(tmp_path / "field.csv", 'a,b\n"' + "x\n" * 60 + '",1\n')

    assert list(problems(long_row, Limits(row_bytes=121))) == []
    assert problems(long_row, Limits(row_bytes=120)) == {1: "more than 120 bytes, the most that a row may have"}
    assert "line 2 is longer than 100 characters" in refusal(long_line, Limits(row_bytes=100))
    assert "not valid CSV in the row from line 2 on: field larger" in refusal(long_field, Limits(row_bytes=100))


def test_a_row_of_an_array_beyond_its_bytes_ends_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr("tsodata.reading.json_rows.BLOCK_BYTES", 16)
    path = written(tmp_path / "a.json", json.dumps([{"a": 1}, {"a": "x" * 500}]))

    assert refusal(path, Limits(row_bytes=100)).startswith("not valid JSON: more than 100 bytes")


@pytest.mark.parametrize("nested", ['{"a":' * 5 + "1" + "}" * 5, '{"a":' + "[" * 4 + "]" * 4 + "}"])
@pytest.mark.parametrize("kind", ["jsonl", "json"])
def test_nesting_is_counted_with_the_row_as_the_first(tmp_path, kind, nested):
    path = written(tmp_path / f"a.{kind}", f"[{nested}]" if kind == "json" else nested)

    assert problems(path, Limits(depth=5)) == {}
    assert problems(path, Limits(depth=4)) == {1: "nested more than 4 deep"}


def test_nesting_and_columns_of_a_table_are_read_from_its_schema(tmp_path):
    path = as_kind(tmp_path / "a.parquet", [{"a": [[1]], "b": 1}])

    assert "nested more than 2 deep" in refusal(path, Limits(depth=2))
    assert "2 columns, more than the 1 that are read" in refusal(path, Limits(columns=1))


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "xlsx"])
def test_a_row_of_too_many_columns_fails(tmp_path, kind):
    path = as_kind(tmp_path / f"a.{kind}", ROWS[:1])

    assert list(problems(path, Limits(columns=1)).values()) == ["2 fields, more than the 1 that are read"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_too_many_rows_is_refused(tmp_path, kind):
    path = as_kind(tmp_path / f"a.{kind}", ROWS)

    assert len(list(iter_rows(path, Limits(file_rows=2)))) == 2
    assert "more than" in refusal(path, Limits(file_rows=1))


@pytest.mark.parametrize(("suffix", "pack"), [("gz", gzip.compress), ("zst", zstd)])
def test_a_zip_bomb_is_stopped_by_its_ratio_and_by_its_size(tmp_path, suffix, pack):
    bomb = written(tmp_path / f"a.jsonl.{suffix}", pack(b'{"a": 1}\n' * 1_000_000))

    assert "times its size, as a zip bomb does" in refusal(bomb, Limits(unpacking_ratio=20, ratio_from_bytes=1 << 20))
    assert "unpacks to more than 2000000 bytes" in refusal(bomb, Limits(unpacked_bytes=2_000_000))


def test_a_packed_parquet_file_is_held_in_memory_up_to_a_limit(tmp_path):
    packed = written(tmp_path / "a.parquet.gz", gzip.compress(as_kind(tmp_path / "a.parquet", ROWS).read_bytes()))

    assert len(list(iter_rows(packed))) == 2
    assert "more than 100 bytes, too many" in refusal(packed, Limits(held_bytes=100))


def test_an_array_is_read_in_a_stream(tmp_path):
    row = {"a": "x" * 1_000}
    path = written(tmp_path / "a.json", json.dumps([row] * 20_000))  # 20 MB
    tracemalloc.start()

    n_rows = sum(row.value is not None for row in iter_rows(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert n_rows == 20_000
    assert peak < 8_000_000


@pytest.mark.parametrize("block", range(1, 40, 3))
def test_an_array_is_read_alike_wherever_the_blocks_end(tmp_path, monkeypatch, block):
    monkeypatch.setattr("tsodata.reading.json_rows.BLOCK_BYTES", block)
    values = [{"a": '\\"\u00e9\U0001f600]'}, {"n": -1.5e-3, "t": [True, None, {}]}, {}, 7, {"b": "\ud83d"}]
    path = written(tmp_path / "a.json", json.dumps(values, indent=1, ensure_ascii=True) + " \n")

    rows = list(iter_rows(path))

    assert [row.value for row in rows] == [value if isinstance(value, dict) else None for value in values]
    assert rows[3].problem == "not a JSON object but int"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[{"a": 1} {"a": 2}]', ", or ] expected, but '{' found (behind 1 rows)"),
        ('[{"a": 1},]', "Expecting value (behind 2 rows)"),
        ('[{"a": 1}] x', "data behind the array's end"),
        ('[{"a": 1}', ", or ] expected, but the end of the file found"),
        ('[{"a": tru}]', "Expecting value"),
        ("[", "Expecting value"),
    ],
)
def test_an_array_that_breaks_off_says_where(tmp_path, text, words):
    assert words in refusal(written(tmp_path / "a.json", text))


def test_a_key_that_stands_twice_is_refused_at_any_depth(tmp_path):
    lines = written(tmp_path / "a.jsonl", '{"a": 1, "a" : 2}\n{"b": [{"c": 1, "c": 1}]}\n{"a": {"a": 1}}\n')
    array = written(tmp_path / "a.json", '[{"a": 1, "a": 2}, {"a": 1}]')

    assert problems(lines) == {
        1: "not usable JSON: the key 'a' stands twice in an object",
        2: "not usable JSON: the key 'c' stands twice in an object",
    }
    assert list(problems(array)) == [1]
    with pytest.raises(ValueError, match="stands twice"):
        parse_json('{"a": 1, "a": 2}')


def test_a_flaw_is_that_of_its_own_row_alone(tmp_path):
    twins = ('{"a":1,"a":1} x', '{"a":1,"a":1}', '{"a":{"b":1,"b":1},')
    path = written(tmp_path / "a.jsonl", "".join(f'{twin}\n{{"a":1}}\n' for twin in twins))

    assert list(problems(path)) == [1, 3, 5]


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_not_finite_arrives_as_such_and_no_field_takes_it(tmp_path, text):
    (row,) = iter_rows(written(tmp_path / "a.jsonl", f'{{"a": {text}}}'))

    assert not math.isfinite(row.value["a"])
    for take in (number, maybe_text):
        with pytest.raises(Refused) as refused:
            take(row.value, "a")
        assert refused.value.reason == "wrong_type"


@pytest.mark.parametrize("value", [b"12", "1_000", decimal.Decimal("NaN"), 10**400])
def test_what_only_python_takes_for_a_number_is_refused(value):
    with pytest.raises(Refused):
        number({"a": value}, "a")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_wide_encodings_are_named(tmp_path, kind, encoding):
    path = written(tmp_path / f"a.{kind}", '{"a": 1}\n'.encode(encoding))

    assert refusal(path) == "not UTF-8 but UTF-16 or UTF-32, by its first bytes; convert it first"


def test_latin_1_costs_the_lines_of_json_and_the_file_of_csv(tmp_path):
    lines = written(tmp_path / "a.jsonl", '{"a": "é"}\n{"a": "e"}\n'.encode("latin-1"))
    table = written(tmp_path / "a.csv", "a\né\n".encode("latin-1"))

    assert problems(lines) == {1: "not UTF-8 at byte 8 of the line"}
    assert refusal(table) == "not UTF-8 (invalid continuation byte); convert it first"


def test_carriage_returns_and_marks_are_no_data(tmp_path):
    lines = written(tmp_path / "a.jsonl", b'\xef\xbb\xbf{"a": 1}\r\n\r\n{"a": 2}\r\n')
    table = written(tmp_path / "a.csv", b'\xef\xbb\xbfa,b\r\n1,"x\r\ny"\r\n')

    assert list(iter_rows(lines)) == [RawRow(1, {"a": 1}), RawRow(3, {"a": 2})]
    assert list(iter_rows(table)) == [RawRow(1, {"a": "1", "b": "x\r\ny"})]


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_a_nul_in_a_text_is_kept(tmp_path, kind):
    path = as_kind(tmp_path / f"a.{kind}", [{"a": "x\0y", "b": "\0"}])

    assert [row.value for row in iter_rows(path)] == [{"a": "x\0y", "b": "\0"}]


def test_a_quote_never_closed_is_named_with_its_line(tmp_path):
    path = written(tmp_path / "a.csv", 'a\n1\n"2\n3\n')

    assert refusal(path) == (
        "not valid CSV in the row from line 3 on: unexpected end of data; look for a quote never closed"
    )


def test_parquet_values_that_python_does_not_hold_cost_their_rows_alone(tmp_path):
    fine = pa.array([1_000, 1_001], pa.timestamp("ns"))  # nanoseconds: a microsecond, and one more
    bad = pa.StringArray.from_buffers(2, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0"), pa.py_buffer(b"a\xff"))
    parquet.write_table(pa.table({"t": fine}), tmp_path / "t.parquet")
    parquet.write_table(pa.table({"t": bad}), tmp_path / "s.parquet")

    for name in ("t.parquet", "s.parquet"):
        assert list(problems(tmp_path / name)) == [2]


def test_exotic_parquet_types_arrive_as_values_of_python(tmp_path):
    types = {
        "d": pa.array([decimal.Decimal("1.50"), None]),
        "m": pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int64())),
        "c": pa.array(["x", None]).dictionary_encode(),
        "t": pa.array([dt.datetime(2026, 1, 2), None]),  # noqa: DTZ001
        "l": pa.array([[{"r": None}], None]),
        "n": pa.array([math.nan, 1.0]),
        "b": pa.array([b"\xff", None]),
    }
    parquet.write_table(pa.table(types), tmp_path / "a.parquet")

    first, second = iter_rows(tmp_path / "a.parquet")

    assert first.value.pop("n") != second.value["n"] == 1.0
    assert first.value == {
        "d": decimal.Decimal("1.50"),
        "m": [("k", 1)],
        "c": "x",
        "t": dt.datetime(2026, 1, 2),  # noqa: DTZ001
        "l": [{"r": None}],
        "b": b"\xff",
    }
    for name in ("m", "l", "b"):
        with pytest.raises(Refused):
            maybe_text(first.value, name)
    assert number(first.value, "d") == 1.5


def test_a_parquet_footer_that_lies_about_its_rows_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"a": list(range(100))}), path, use_dictionary=False, compression="none")
    data = path.read_bytes()
    # the last num_rows of the footer is the row group's: in Thrift, an i64 as a zigzag varint, 100 -> 200 -> c8 01
    at = data.rindex(b"\x16\xc8\x01")
    path.write_bytes(data[:at] + b"\x16\xc6\x01" + data[at + 3 :])

    assert refusal(path) == "the footer states 100 rows, but the file holds 99"


def test_a_parquet_footer_that_contradicts_itself_is_refused_and_does_not_end_the_process(tmp_path):
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.Table.from_pylist([{"m": [{"role": "user"}]}]), path)
    # the schema's word on `role`, in Thrift: repetition_type (field 3) 1, optional, as a zigzag varint, and the name;
    # as required, it contradicts the counts of levels that stand in the same footer
    optional, required = b"\x25\x02\x18\x04role", b"\x25\x00\x18\x04role"
    data = path.read_bytes()
    assert data.count(optional) == 1
    path.write_bytes(data.replace(optional, required))

    assert "histogram size mismatch" in refusal(path)


def test_arrow_offsets_that_point_outside_are_refused_rather_than_followed(tmp_path):
    path = as_kind(tmp_path / "a.arrow", [{"a": "xyz"}, {"a": "uvw"}])
    data = path.read_bytes()
    offsets = b"\0\0\0\0\3\0\0\0\6\0\0\0"
    assert data.count(offsets) == 1
    path.write_bytes(data.replace(offsets, b"\0\0\0\0\3\0\0\0\xff\xff\xff\x7f"))

    assert refusal(path).startswith("not a readable Arrow file: ")


def test_an_arrow_file_is_read_as_well_as_a_stream(tmp_path):
    table = pa.Table.from_pylist(ROWS)
    with pa.ipc.new_file(str(tmp_path / "a.arrow"), table.schema) as writer:
        writer.write_table(table)

    assert [row.value for row in iter_rows(tmp_path / "a.arrow")] == ROWS


def dictionary_bytes(path, **options):
    parquet.write_table(pa.table({"a": ["x" * 100, "x" * 100, "y" * 50]}), path, **options)
    with path.open("rb") as file:
        return arrow_rows._dictionary_bytes(file, parquet.read_metadata(path).row_group(0).column(0))


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "zstd", "snappy"])
def test_the_size_of_a_dictionary_is_read_from_its_page(tmp_path, compression, version):
    options = {"compression": compression, "data_page_version": version}

    assert dictionary_bytes(tmp_path / "a.parquet", **options) == 4 + 100 + 4 + 50
    assert dictionary_bytes(tmp_path / "b.parquet", use_dictionary=False, **options) == 0


def test_a_page_with_an_odd_header_counts_as_large_as_its_column(tmp_path):
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"a": ["x" * 100] * 9}), path)
    chunk = parquet.read_metadata(path).row_group(0).column(0)
    at, data = chunk.dictionary_page_offset, path.read_bytes()

    odd = io.BytesIO(data[:at] + b"\x25" + data[at + 1 :])

    assert arrow_rows._dictionary_bytes(odd, chunk) == chunk.total_uncompressed_size


def test_long_texts_that_differ_are_read_many_rows_at_once(tmp_path):
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"a": [f"{number:02000}" for number in range(8_000)]}), path)
    limits = Limits(held_bytes=400_000_000)

    with path.open("rb") as file:
        n_rows = arrow_rows._rows_at_once(file, parquet.ParquetFile(file), limits)

    assert n_rows in range(40, 101)  # 100 MB by a dictionary of 1 to 2.5 MB; the column has 16 MB
    assert [row.value["a"][-4:] for row in iter_rows(path, limits)] == [f"{number:04}" for number in range(8_000)]


def test_a_text_that_a_dictionary_repeats_does_not_fill_the_memory(tmp_path):
    repeated = pa.DictionaryArray.from_arrays(pa.array([0] * 2_000, pa.int32()), pa.array(["x" * 1_000_000]))
    parquet.write_table(pa.table({"a": repeated}), tmp_path / "a.parquet", compression="zstd", store_schema=False)
    assert (tmp_path / "a.parquet").stat().st_size < 1_000
    pa.default_memory_pool().release_unused()
    before = pa.total_allocated_bytes()
    peak = 0

    for row in iter_rows(tmp_path / "a.parquet", Limits(held_bytes=100_000_000)):
        assert len(row.value["a"]) == 1_000_000
        peak = max(peak, pa.total_allocated_bytes() - before)

    assert 0 < peak < 200_000_000  # of 2 GB: 25 rows at once, and as much again while they are made
