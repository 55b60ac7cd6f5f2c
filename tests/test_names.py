"""Names as hostile as texts can be, from a file to an export: refused with a reason, or carried through unchanged."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tsocli.data import app
from typer.testing import CliRunner

from tsodata.builds import build_pairs
from tsodata.coverage import load_coverage, load_matrix
from tsodata.errors import UsageError
from tsodata.exporters import export_build
from tsodata.importers import import_files
from tsodata.lineage import explain_pair
from tsodata.provenance import MAX_NAME_CHARS, Run
from tsodata.recipes import load_recipe
from tsodata.store import Store

NAMES = [
    "o'x\"; drop table responses; --",
    "$name {0} %s",
    "a\nb\r\nc",
    "\u202egnp.exe",
    "\u0627\u200f\u0628",
    "../../etc/passwd",
    "/",
    "\0",
    "=1+1",
    "-n",
    "n" * (MAX_NAME_CHARS - 1),
]


def rows_named(name):
    """Return rows in which everything that has a name goes by this one, and whose texts hold it."""
    said = {"judge": name, "rubric": name, "dimension": name, "dataset": name, "tags": [name], "prompt_id": name}
    cells = [("1", 7), ("2", 7), ("2", 13)]
    return [
        {"prompt": f"{name}?", "response": f"{name} {version} {size}", "score": size, **said}
        | {"family": name, "version": version, "size": size, "finish_reason": name, "settings": {name: name}}
        for version, size in cells
    ] + [{"prompt": f"{name}?", "response": f"{name} by hand", "human": f"_{name}", **said, "judge": None}]


def imported(folder, rows):
    store = Store.open(folder / "s.duckdb", create=True)
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with store.run(Run.of_process({"dataset": "d"})) as run:
        (report,) = import_files(store, "records", [path], run=run)
    return store, report


def carried_through(folder, name):
    """Take a name from a file to an export, and return the store."""
    store, report = imported(folder, rows_named(name))
    assert (report.accepted, report.first_refusals) == (4, [])
    base = f"{name}/2/7"
    with store.reader() as reader:
        coverage = load_coverage(reader, load_matrix(reader, base, []), name)
    assert coverage.n_prompts == 1
    recipe = load_recipe("weighted").with_options(seed=1, n=None, minibatches=1, pairs_per_prompt=None, held_out=None)
    with store.run(Run.of_process({"name": name})) as run:
        build = build_pairs(store, f"b{name}"[:MAX_NAME_CHARS], base=base, recipe=recipe, run=run, allow_short=True)
        export_build(store, build.name, to="jsonl", out=folder / "out", run=run)
    ((pair,),) = store.sql("select pair_id from v_pairs").rows()
    assert explain_pair(store, pair, build=build.name)["prompt"]["origins"][0]["dataset"] == name
    assert store.query("pairs-by-source", build=build.name)["n_pairs"].to_list() == [1]
    assert store.sql("select count(*) from v_responses where source = $s", {"s": base}).item() == 1
    assert store.sql("select list(distinct judge) from v_scores").item().to_list() == [name]
    return store


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_hostile_name_is_carried_through_unchanged(tmp_path, name):
    store = carried_through(tmp_path, name)

    assert store.sql("select count(*) from responses").item() == 4
    (line,) = (tmp_path / "out" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["prompt"] == [{"role": "user", "content": f"{name}?"}]


@settings(max_examples=5, deadline=None)
@given(name=st.text(min_size=1, max_size=40).filter(str.strip))
def test_any_name_is_carried_through_unchanged(tmp_path_factory, name):
    carried_through(tmp_path_factory.mktemp("named"), name)


def test_a_name_that_nobody_can_read_is_refused_with_its_length_and_leaves_nothing(tmp_path):
    name = "n" * 10_000
    fields = ("family", "model", "human", "dataset", "judge", "rubric", "dimension", "tags")
    base = {"prompt": "q", "response": "a", "score": 1, "judge": "j", "model": "m"}
    store, report = imported(tmp_path, [{**base, field: [name] if field == "tags" else name} for field in fields])

    assert report.failed == {"bad_content": len(fields)}
    assert all("a name of 10000 characters, more than 300: 'nnnn" in line for line in report.first_refusals)
    assert store.sql("select count(*) from v_sources where length(source) > 300").item() == 0


@pytest.mark.parametrize("name", ["", " ", "n" * 301, "\ud800"])
def test_a_build_is_not_named_so_that_nobody_can_type_it(tmp_path, name):
    store, _ = imported(tmp_path, rows_named("f"))

    with (
        store.run(Run.of_process({})) as run,
        pytest.raises(UsageError, match="a build's name has 1 to 300 characters"),
    ):
        build_pairs(store, name, base="f/2/7", recipe=load_recipe("weighted"), run=run)


def run(*arguments):
    return CliRunner().invoke(app, list(arguments))


def test_what_the_terminal_shows_of_a_name_is_one_line_without_controls(tmp_path):
    imported(tmp_path, rows_named("a\n\x1b[31m\u202eb"))

    shown = run("sql", "select distinct source from v_responses order by all", "--store", str(tmp_path / "s.duckdb"))
    matrix = run("matrix", "--base", "a\n\x1b[31m\u202eb/2/7", "--store", str(tmp_path / "s.duckdb"))

    for result in (shown, matrix):
        assert result.exit_code == 0
        assert "a⏎\ufffd[31m\ufffdb/2/7" in result.stdout
        assert not {"\x1b", "\u202e"} & set(result.stdout)


@pytest.mark.parametrize(
    "arguments",
    [
        ("sql", "select '\udcff'"),
        ("query", "judges", "-p", "x=\udcff"),
        ("matrix", "--base", "\udcff"),
        ("builds", "\udcff"),
        ("init", "--store", "\udcff.duckdb"),
        ("sql", "select 1", "--parquet", "\udcff.parquet"),
        ("import", "records", "x", "--dataset", "\udcff"),
    ],
)
def test_an_argument_that_is_not_utf_8_is_one_line_of_error(arguments, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)

    assert result.exit_code == 2
    assert result.stderr.endswith("is not UTF-8; type it anew\n")
    assert result.stderr.count("\n") == 1


def test_a_file_whose_name_is_not_utf_8_is_imported_and_told(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "\udcff.jsonl").write_text('{"prompt": "q"}\n{}\n')

    result = run("import", "records", "\udcff.jsonl")
    as_json = run("import", "records", "\udcff.jsonl", "--json")

    assert "\\udcff.jsonl:2: no field 'prompt'" in result.stdout
    assert json.loads(as_json.stdout)[0]["failed"] == {"missing_field": 1}
    assert (result.exit_code, as_json.exit_code) == (1, 1)


def test_an_export_may_go_through_a_folder_that_is_not_there(tmp_path):
    store, _ = imported(tmp_path, rows_named("f"))
    recipe = load_recipe("weighted").with_options(seed=1, n=None, minibatches=1, pairs_per_prompt=None, held_out=None)
    with store.run(Run.of_process({})) as run_:
        build_pairs(store, "b", base="f/2/7", recipe=recipe, run=run_, allow_short=True)
        export_build(store, "b", to="jsonl", out=tmp_path / "gone" / ".." / "out", run=run_)

    assert (tmp_path / "out" / "manifest.json").is_file()
    assert not (tmp_path / "gone").exists()
