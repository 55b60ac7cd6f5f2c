import datetime as dt
import io
import sys
import zipfile

import openpyxl
import pytest

from tsodata.errors import ImportRefusedError
from tsodata.reading import Formula, Limits, RawRow, iter_rows

CELL = '<c r="{at}"><v>{value}</v></c>'
SHEET = "xl/worksheets/sheet1.xml"


@pytest.fixture
def save(tmp_path):
    """Save lines as the first sheet of a workbook, with another sheet behind it."""

    def saved(*lines):
        book = openpyxl.Workbook()
        for line in lines:
            book.active.append(line)
        book.create_sheet("other").append(["not this"])
        book.save(tmp_path / "a.xlsx")
        return tmp_path / "a.xlsx"

    return saved


def with_part(path, name, content):
    """Replace a part of a workbook, or add one."""
    with zipfile.ZipFile(path) as source:
        parts = {part: source.read(part) for part in source.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for part, data in {**parts, name: content}.items():
            target.writestr(part, data)
    return path


def sheet_of(rows, head=""):
    return (
        f'<?xml version="1.0"?>{head}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<sheetData>{rows}</sheetData></worksheet>"
    ).encode()


def refusal(path, limits=None):
    with pytest.raises(ImportRefusedError) as refused:
        list(iter_rows(path, limits))
    assert "\n" not in str(refused.value)
    return str(refused.value).removeprefix(f"{path}: ")


def test_the_first_sheet_is_read_by_its_header_with_its_own_row_numbers(save):
    path = save(["id", "text"], [12.0, "a"], ["x", None])

    assert list(iter_rows(path)) == [RawRow(2, {"id": 12, "text": "a"}), RawRow(3, {"id": "x", "text": None})]


def test_whole_numbers_are_whole_and_dates_are_iso_texts(save):
    row = [12.0, 1.5, True, dt.datetime(2026, 1, 2, 3, 4), dt.time(1, 2), "=1"]  # noqa: DTZ001
    path = with_part(save(["a", "b", "c", "d", "e"], row[:5]), "docProps/x.xml", b"<x/>")

    (read,) = iter_rows(path)

    assert read.value == {"a": 12, "b": 1.5, "c": True, "d": "2026-01-02T03:04:00", "e": "01:02:00"}


def test_empty_rows_are_no_rows_but_are_counted(save):
    path = save([], ["a"], [None], [1], [""], [2])

    assert list(iter_rows(path)) == [RawRow(4, {"a": 1}), RawRow(6, {"a": 2})]


def test_a_value_without_a_header_is_a_problem_and_an_empty_column_is_not(save):
    path = save(["a", None, "b"], [1, None, 2], [1, 5, 2], [1, None, 2, 9], [1])

    rows = list(iter_rows(path))

    assert [row.line for row in rows if row.problem] == [3, 4]
    assert rows[0].value == {"a": 1, "b": 2}
    assert rows[3].value == {"a": 1, "b": None}


def test_twins_in_the_header_are_refused(save):
    assert "the header names 'a' more than once" in refusal(save(["a", "a"], [1, 2]))


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("<f>1+1</f><v>2</v>", 2),
        ("<f>1+1</f>", Formula("=1+1")),
        ("<f>Other</f><v>Other</v>", Formula("=Other")),
        ("<f>Po</f><v>#NAME?</v>", Formula("=Po")),
    ],
)
def test_a_formula_counts_by_its_result_only_where_that_is_a_number(save, cell, expected):
    kind = ' t="str"' if "Other</v>" in cell else ' t="e"' if "#" in cell else ""
    cells = '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row>'
    path = with_part(save(["a"]), SHEET, sheet_of(f'{cells}<row r="2"><c r="A2"{kind}>{cell}</c></row>'))

    assert list(iter_rows(path)) == [RawRow(2, {"a": expected})]


def test_an_error_in_a_cell_is_a_problem_of_its_row(save):
    cells = '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row>'
    path = with_part(save(["a"]), SHEET, sheet_of(cells + '<row r="2"><c r="A2" t="e"><v>#DIV/0!</v></c></row>'))

    assert [row.problem for row in iter_rows(path)] == ["column 1 of row 2 holds the error #DIV/0!"]


def test_a_sheet_that_claims_its_last_cell_costs_no_memory(save):
    cells = CELL.format(at="A1", value=1) + "</row><row r='1048576'>" + CELL.format(at="XFD1048576", value=2)
    path = with_part(save(["a"]), SHEET, sheet_of(f"<row r='1'>{cells}</row>"))

    assert [row.problem for row in iter_rows(path)] == ["a value stands in a column without a name in the header"]


def test_a_row_number_beyond_any_sheet_is_refused(save):
    cells = CELL.format(at="A1", value=1) + "</row><row r='99999999999'>" + CELL.format(at="A99999999999", value=2)
    path = with_part(save(["a"]), SHEET, sheet_of(f"<row r='1'>{cells}</row>"))

    assert refusal(path) == "more than 1048576 rows, more than a sheet can have"


def test_xml_with_a_document_type_is_refused_unread(save):
    laughs = '<!DOCTYPE x [<!ENTITY a "ha">]>'
    path = with_part(save(["a"]), SHEET, sheet_of("<row r='1'><c r='A1' t='str'><v>&a;</v></c></row>", laughs))

    assert refusal(path) == f"{SHEET!r} in it has a document type or is not UTF-8"


def test_a_part_that_bursts_is_stopped_and_what_is_no_xml_is_never_unpacked(save):
    bursting = with_part(save(["a"], [1]), "xl/media/image1.png", b"\0" * 5_000_000)
    limits = Limits(unpacking_ratio=10, ratio_from_bytes=1 << 20)
    assert [row.value for row in iter_rows(bursting, limits)] == [{"a": 1}]

    bursting = with_part(bursting, "xl/theme/theme1.xml", b" " * 5_000_000)
    assert refusal(bursting, limits).startswith("unpacks to more than 1048576 bytes")


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_workbook_is_refused_in_one_line(tmp_path, data):
    (tmp_path / "a.xlsx").write_bytes(data)

    assert refusal(tmp_path / "a.xlsx").startswith("not a readable .xlsx file: ")


def test_a_zip_without_a_workbook_is_refused_in_one_line(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        target.writestr("../../x.xml", "<x/>")
    (tmp_path / "a.xlsx").write_bytes(packed.getvalue())

    assert refusal(tmp_path / "a.xlsx").startswith("not a readable .xlsx file: ")
    assert [path.name for path in tmp_path.iterdir()] == ["a.xlsx"]


def test_without_openpyxl_one_line_says_what_to_install(save, monkeypatch):
    path = save(["a"], [1])
    monkeypatch.setitem(sys.modules, "openpyxl", None)

    assert "needs openpyxl; install it (pip install 'tso[xlsx]')" in refusal(path)
