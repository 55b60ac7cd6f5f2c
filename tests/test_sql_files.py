"""What holds for every file under sql/, whoever runs it."""

import re
from pathlib import Path

import duckdb
import pytest

from tsodata import queries
from tsodata.store import Store

ROOT = Path(str(queries.sql_root()))
SCHEMA = sorted(path.name for path in (ROOT / "schema").glob("*.sql"))
FILES = sorted(
    path.relative_to(ROOT).with_suffix("").as_posix() for path in ROOT.rglob("*.sql") if path.parent.name != "schema"
)
# these build on what an earlier file has kept
ON_TEMPORARY_TABLES = (
    "lineage/race",
    "pairs/",
    "answers/",
    "compared/",
    "diffs/",
    "exports/",
    "judging/",
    "stats/",
    "summaries/",
)
PREPARED = [file for file in FILES if not file.startswith(ON_TEMPORARY_TABLES)]
IDS = {"policy": "art1-", "pair": "pair1-", "response": "r1-", "run": "run1-", "stage": "stg1-"}
VALUES = {"boolean": True, "double": 1.0}
KEYWORDS = re.compile(r"\b(SELECT|FROM|WHERE|JOIN|WITH|GROUP|ORDER|BY|AS|ON|AND|OR|NULL|UNION|ALL|CASE|WHEN|END)\b")


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    path = tmp_path_factory.mktemp("sql") / "fresh.duckdb"
    Store.open(path, create=True)
    connection = duckdb.connect(str(path), read_only=True)
    yield connection
    connection.close()


def body(query):
    return "\n".join(line for line in query.sql.splitlines() if not line.lstrip().startswith("--"))


def without_texts(sql):
    return re.sub(r"'[^']*'", "''", sql)


def final_select(query):
    return re.split(r"(?m)^select", body(query))[-1]


def value_for(name, kind):
    if kind.endswith("[]"):
        return [value_for(name, kind.removesuffix("[]"))]
    if kind == "varchar":
        return f"{IDS[name]}0123456789abcdef" if name in IDS else "x"
    return VALUES.get(kind, 1)


def test_there_are_sql_files():
    assert len(FILES) > len(queries.names()) > 0


@pytest.mark.parametrize("file", FILES)
def test_a_header_has_a_question_parameters_and_rows(file):
    query = queries.load(file)

    assert query.question.splitlines()[0].endswith(("?", ".", ":"))
    assert query.rows.startswith("one")
    assert all(parameter.meaning for parameter in query.parameters)


@pytest.mark.parametrize("file", FILES)
def test_a_file_is_one_statement_that_takes_the_declared_parameters(connection, file):
    query = queries.load(file)
    statements = connection.extract_statements(query.sql)

    assert len(statements) == 1
    assert statements[0].named_parameters == {parameter.name for parameter in query.parameters}


@pytest.mark.parametrize("file", PREPARED)
def test_a_file_can_be_prepared_against_the_schema(connection, file):
    query = queries.load(file)
    values = {parameter.name: value_for(parameter.name, parameter.type) for parameter in query.parameters}

    connection.execute(f"explain {query.sql}", values or None).fetchall()


@pytest.mark.parametrize("file", FILES)
def test_the_order_of_the_rows_is_stated_where_there_may_be_two(file):
    query = queries.load(file)

    assert re.search(r"(?m)^order by\b", body(query)) or not query.rows.startswith("one per")


@pytest.mark.parametrize("file", PREPARED)
def test_the_columns_of_the_result_are_named_one_by_one(file):
    assert not re.search(r"(^|,|\.)\s*\*", final_select(queries.load(file)).split("\nfrom")[0])


@pytest.mark.parametrize("path", [*(f"{file}.sql" for file in FILES), *(f"schema/{name}" for name in SCHEMA)])
def test_a_file_is_in_lower_case_with_four_spaces_and_one_line_end_at_its_end(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    code = without_texts("\n".join(line.split("--")[0] for line in text.splitlines()))

    assert not KEYWORDS.search(code)
    assert "\t" not in text
    assert not re.search(r"(?m)[ ]+$", text)
    assert not [line for line in code.splitlines() if (len(line) - len(line.lstrip())) % 4]
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize("name", queries.names())
def test_what_people_type_has_types_that_can_be_read_from_text(name):
    query = queries.named(name)
    given = {parameter.name: "1" for parameter in query.parameters}

    assert set(query.bind(given)) == set(given)


def test_names_that_people_type_are_lower_case_words_with_hyphens():
    assert [name for name in queries.names() if not re.fullmatch(r"[a-z]+(-[a-z]+)*", name)] == []
