import csv
import io
import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from math import inf, nan

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tsocli.output import fetch, to_frame, to_json, write_frame, write_table

from tsodata.errors import QueryError, UsageError


@pytest.fixture
def select():
    connection = duckdb.connect()
    yield lambda what: connection.sql(f"select {what}")
    connection.close()


def lines(capsys):
    return capsys.readouterr().out.splitlines()


def test_a_table_aligns_texts_left_and_numbers_right(capsys):
    write_frame(pl.DataFrame({"source": ["a", "human"], "n": [1, 100], "share": [0.5, None]}))

    assert lines(capsys) == [
        "| source |   n | share |",
        "|--------|-----|-------|",
        "| a      |   1 |   0.5 |",
        "| human  | 100 |  null |",
    ]


def test_a_table_cuts_long_texts_and_shows_line_ends(capsys):
    write_table(pl.DataFrame({"text": ["abcdefgh", "ab\ncd", "ab\r\ncd"]}), max_width=5)

    assert [line.strip("| ") for line in lines(capsys)[2:]] == ["abcd…", "ab⏎cd", "ab⏎cd"]


def test_a_table_shows_all_columns_however_many(capsys):
    write_frame(pl.DataFrame({f"c{i}": ["x" * 60] for i in range(40)}))

    assert [cell.strip() for cell in lines(capsys)[0].strip("|").split("|")] == [f"c{i}" for i in range(40)]


def test_a_table_lets_no_escape_sequence_reach_the_terminal(capsys):
    write_frame(pl.DataFrame({"text": ["\x1b[31mred\x07\x9b"]}))

    assert lines(capsys)[2] == "| �[31mred�� |"


def test_a_table_shows_lists_structs_times_and_bytes_as_text(capsys):
    row = {"l": [["a", "b"]], "s": [{"x": 1}], "t": [datetime(2026, 1, 2, 3, 4)], "b": [b"\x01\xff"], "f": [True]}  # noqa: DTZ001
    write_frame(pl.DataFrame(row))

    cells = [cell.strip() for cell in lines(capsys)[2].strip("|").split("|")]
    assert cells == ['["a", "b"]', '{"x": 1}', "2026-01-02 03:04:00", "01ff", "true"]


def test_a_table_says_on_stderr_how_many_rows_it_left_out(capsys):
    write_frame(pl.DataFrame({"n": [1, 2, 3]}), limit=2)

    shown = capsys.readouterr()
    assert shown.out.splitlines()[2:] == ["| 1 |", "| 2 |"]
    assert shown.err.startswith("the first 2 rows; ")


def test_a_table_that_shows_every_row_says_nothing_on_stderr(capsys):
    write_frame(pl.DataFrame({"n": [1, 2]}), limit=2)

    assert capsys.readouterr().err == ""


def test_a_table_without_rows_still_names_its_columns(capsys):
    write_frame(pl.DataFrame({"n": []}, schema={"n": pl.Int64}))

    assert lines(capsys)[0] == "| n |"


def test_json_is_an_array_of_objects_whatever_the_types(capsys):
    row = {
        "nan": [nan],
        "inf": [inf],
        "time": [datetime(2026, 1, 2, tzinfo=UTC)],
        "nested": [[{"x": nan, "on": date(2026, 1, 2)}]],
        "bytes": [b"\x01\xff"],
        "text": ['"\n日'],
        "nothing": [None],
    }
    write_frame(pl.DataFrame(row), as_json=True)

    assert json.loads(capsys.readouterr().out) == [
        {
            "nan": None,
            "inf": None,
            "time": "2026-01-02T00:00:00+00:00",
            "nested": [{"x": None, "on": "2026-01-02"}],
            "bytes": "01ff",
            "text": '"\n日',
            "nothing": None,
        }
    ]


def test_json_holds_all_rows_whatever_the_limit(capsys):
    write_frame(pl.DataFrame({"n": range(25_000)}), as_json=True, limit=1)

    assert [row["n"] for row in json.loads(capsys.readouterr().out)] == list(range(25_000))


def test_json_of_no_rows_is_an_empty_array(capsys):
    write_frame(pl.DataFrame({"n": []}), as_json=True)

    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal(2**100), 2**100),  # sum() of whole numbers in DuckDB
        (Decimal("0.5"), 0.5),
        (Decimal("0.12345678901234567890"), "0.12345678901234567890"),  # no float is that exact
        (time(1, 2), "01:02:00"),
        (timedelta(minutes=1), 60.0),
        ({1: nan}, {"1": None}),
    ],
)
def test_json_keeps_numbers_exact_and_the_rest_readable(value, expected):
    assert to_json(value) == expected


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text()
        | st.binary()
        | st.decimals(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    )
)
def test_every_value_becomes_valid_json(value):
    json.dumps(to_json(value), allow_nan=False)


def test_csv_tells_null_from_empty_text_and_writes_nested_values_as_json(capsys):
    write_frame(
        pl.DataFrame({"a": ["", None], "l": [[1, 2], None], "b": [b"\x01", None], "x": [0.1, None]}), as_csv=True
    )

    assert capsys.readouterr().out == 'a,l,b,x\n"","[1, 2]",01,0.1\n,,,\n'


def test_csv_leaves_cells_that_look_like_formulas_as_they_are(capsys):
    cells = ["=1+1", "+1", "-1", "@x"]
    write_frame(pl.DataFrame({"text": cells}), as_csv=True)

    assert capsys.readouterr().out.splitlines()[1:] == cells


def test_csv_for_a_spreadsheet_has_an_apostrophe_before_what_it_would_run(capsys):
    cells = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "a=1", " =1", "", None]
    write_frame(pl.DataFrame({"=text": cells, "n": [-1] * 10, "l": [["=1"]] * 10}), as_csv_safe=True)

    header, *rows = csv.reader(io.StringIO(capsys.readouterr().out, newline=""))
    assert header == ["'=text", "n", "l"]
    assert [row[0] for row in rows] == ["'=1+1", "'+1", "'-1", "'@x", "'\t=1", "'\r=1", "a=1", " =1", "", ""]
    assert {(n, listed) for _, n, listed in rows} == {("-1", '["=1"]')}  # numbers are no texts, and JSON begins with [


def test_a_nul_survives_csv_and_json(capsys):
    frame = pl.DataFrame({"text": ["a\0b"]})
    write_frame(frame, as_csv=True)
    assert capsys.readouterr().out == "text\na\0b\n"

    write_frame(frame, as_json=True)
    assert json.loads(capsys.readouterr().out) == [{"text": "a\0b"}]


def test_a_table_shows_marks_that_turn_the_reading_direction(capsys):
    write_frame(pl.DataFrame({"text": ["a\u202eb", "c\u2066d"]}))

    assert [line.strip("| ") for line in lines(capsys)[2:]] == ["a\ufffdb", "c\ufffdd"]


def test_csv_holds_all_rows_under_one_header(capsys):
    write_frame(pl.DataFrame({"n": range(25_000)}), as_csv=True, limit=1)

    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows == [["n"], *([str(n)] for n in range(25_000))]


def test_csv_of_no_rows_is_the_header(capsys):
    write_frame(pl.DataFrame({"n": []}, schema={"n": pl.Int64}), as_csv=True)

    assert capsys.readouterr().out == "n\n"


def test_a_parquet_file_has_the_rows_and_leaves_nothing_else_behind(tmp_path, capsys):
    frame = pl.DataFrame({"n": [1, 2], "l": [["a"], None]})
    write_frame(frame, parquet=tmp_path / "rows.parquet")

    assert pl.read_parquet(tmp_path / "rows.parquet").equals(frame)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.parquet"]
    assert capsys.readouterr().out == ""


def test_a_parquet_file_that_cannot_be_written_leaves_the_old_one_whole(tmp_path):
    path = tmp_path / "rows.parquet"
    path.write_text("old")

    with pytest.raises(pl.exceptions.PolarsError):
        write_frame(pl.DataFrame({"n": [object()]}), parquet=path)

    assert [found.name for found in tmp_path.iterdir()] == ["rows.parquet"]
    assert path.read_text() == "old"


def test_a_parquet_file_needs_a_folder_to_stand_in(tmp_path):
    with pytest.raises(UsageError, match="cannot be written: No such file or directory"):
        write_frame(pl.DataFrame({"n": [1]}), parquet=tmp_path / "none" / "rows.parquet")


def test_a_parquet_file_is_no_folder(tmp_path):
    with pytest.raises(UsageError, match="is a folder"):
        write_frame(pl.DataFrame({"n": [1]}), parquet=tmp_path)


def test_two_ways_out_at_once_are_refused():
    with pytest.raises(UsageError, match="choose one"):
        write_frame(pl.DataFrame({"n": [1]}), as_json=True, as_csv=True)


@pytest.mark.parametrize(
    "value",
    [
        "interval 1 day",
        "[interval 1 day]",
        "{'a': [interval 1 day]}",
        "union_value(a := 1)",
        "'101'::bit",
        "1::variant",
    ],
)
def test_a_type_that_stays_in_the_database_is_refused_with_the_cast_to_add(select, value):
    with pytest.raises(QueryError, match=r"column 'x' is of type .*; cast it: x::varchar"):
        to_frame(fetch(select(f"{value} as x")))


@pytest.mark.parametrize("value", ["'infinity'::date", "'-infinity'::timestamp", "'294247-01-01'::timestamp"])
def test_a_date_that_no_calendar_of_python_holds_is_refused_with_the_cast_to_add(select, value):
    with pytest.raises(QueryError, match="column 'x' holds dates outside the years 1 to 9999; cast it: x::varchar"):
        to_frame(fetch(select(f"{value} as x")))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("map {'a': 1}", {"a": 1}),
        ("1::hugeint", 1),
        ("'9999-12-31'::date", "9999-12-31"),
        ("'0001-01-01'::timestamp", "0001-01-01T00:00:00"),
        ("array[1, 2]::integer[2]", [1, 2]),
        ("'a'::enum('a', 'b')", "a"),
        ("null", None),
    ],
)
def test_other_types_arrive_as_json(select, capsys, value, expected):
    write_frame(to_frame(fetch(select(f"{value} as x"))), as_json=True)

    assert json.loads(capsys.readouterr().out) == [{"x": expected}]


@pytest.mark.parametrize(
    "value", ["map {'a': 1}", "array[1, 2]::integer[2]", "'a'::enum('a', 'b')", "null", "1::hugeint"]
)
def test_other_types_can_be_shown_and_written(select, tmp_path, value):
    frame = to_frame(fetch(select(f"{value} as x")))

    write_frame(frame)
    write_frame(frame, as_csv=True)
    write_frame(frame, parquet=tmp_path / "rows.parquet")
