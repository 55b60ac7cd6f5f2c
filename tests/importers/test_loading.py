import gzip
import json
import math
from collections import Counter

import pyarrow as pa
import pytest
from pyarrow import parquet

from tsodata.errors import ImportRefusedError, UsageError
from tsodata.importers import ImportOptions, import_files, loading
from tsodata.importers.loading import state_version_order
from tsodata.provenance import Run
from tsodata.reading import Limits
from tsodata.records import VersionOrder
from tsodata.store import Store

ROW = {"prompt": "Why?", "response": "Because.", "model": "m"}
TABLES = (
    "sources",
    "source_names",
    "prompts",
    "prompt_origins",
    "responses",
    "shown_responses",
    "judgements",
    "scores",
)


def answer(number, **fields):
    return {"prompt": f"Question {number}", "response": f"Answer {number}", "model": "m", **fields}


def count(store, table):
    return store.sql(f"select count(*) from {table}").item()


def counts(store):
    return {table: count(store, table) for table in TABLES}


def import_all(store, format_name, paths, **options):
    with store.run(Run.of_process({})) as run:
        return import_files(store, format_name, paths, run=run, options=ImportOptions(**options))


def test_every_row_is_accepted_present_skipped_or_failed_and_the_four_add_up(store, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(
        "\n".join(
            [
                json.dumps(ROW),
                json.dumps(ROW),  # the same again: present
                '{"prompt": ',  # not JSON
                json.dumps({"response": "No question."}),
                "",  # no row
                json.dumps({"prompt": "Only a prompt"}),
            ]
        )
    )

    (report,) = import_all(store, "records", [path])

    assert (report.accepted, report.present, report.skipped.total()) == (2, 1, 0)
    assert report.failed == Counter(unreadable=1, missing_field=1)
    assert report.rows == 5
    assert report.added == Counter(prompts=2, prompt_origins=2, responses=1)
    assert report.first_refusals == [
        f"{path}:3: not valid JSON: Expecting value: line 1 column 12 (char 11)",
        f"{path}:4: no field 'prompt'; found 'response'",
    ]
    assert store.sql("select n_accepted, n_present, n_skipped, n_failed from v_imports").rows() == [(2, 1, 0, 2)]
    assert store.sql("select line, status, reason from v_refusals order by line").rows() == [
        (3, "failed", "unreadable"),
        (4, "failed", "missing_field"),
    ]


def test_only_the_first_three_refusals_are_told_but_all_are_stored(run_import, store):
    report = run_import("records", [{"prompt": ""}] * 5)

    assert report.failed == {"empty_field": 5}
    assert len(report.first_refusals) == 3
    assert count(store, "refusals") == 5


def test_importing_twice_adds_nothing(run_import, store):
    rows = [answer(n, score=n, judge="gpt-4", raw="words") for n in range(3)]
    run_import("records", rows)
    before = counts(store)

    again = run_import("records", rows)

    assert (again.accepted, again.present, again.rows) == (0, 3, 3)
    assert counts(store) == before


def test_rows_of_several_batches_add_up_like_those_of_one(run_import, store, monkeypatch):
    monkeypatch.setattr(loading, "BATCH_ROWS", 2)
    monkeypatch.setattr(loading, "PAUSE_S", 0)

    report = run_import("records", [answer(n) for n in (1, 2, 1, 3, 4)])

    assert (report.accepted, report.present) == (4, 1)
    assert count(store, "responses") == 4
    assert store.sql("select n_accepted, n_present from v_imports").rows() == [(4, 1)]
    # batches of 2, 2 and 1 rows, the run's beginning and its end
    assert count(store, "commits") == 5


def test_a_batch_ends_where_its_answers_grow_long(run_import, store, monkeypatch):
    monkeypatch.setattr(loading, "BATCH_CHARS", 10)
    monkeypatch.setattr(loading, "PAUSE_S", 0)

    run_import("records", [answer(n) for n in range(1, 5)])  # 8 characters each: two reach the limit

    assert count(store, "commits") == 2 + 2


def test_progress_is_told_after_each_commit(store, tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "BATCH_ROWS", 2)
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(answer(n)) for n in range(3)))
    said = []

    with store.run(Run.of_process({})) as run:
        import_files(store, "records", [path], run=run, progress=said.append)

    assert said == ["rows.jsonl: 2 rows", "rows.jsonl: 3 rows"]


def test_an_empty_file_is_noted_with_no_rows(run_import, store):
    report = run_import("records", [])

    assert report.rows == 0
    assert store.sql("select n_accepted, n_present, n_skipped, n_failed from v_imports").rows() == [(0, 0, 0, 0)]


@pytest.mark.parametrize("kind", ["jsonl", "json", "jsonl.gz", "jsonl.zst", "csv", "tsv", "parquet"])
def test_every_kind_of_file_gives_the_same_keys(run_import, tmp_path, kind):
    rows = [answer(n) for n in (1, 2)]
    lines = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    path = tmp_path / f"rows.{kind}"
    if kind == "parquet":
        parquet.write_table(pa.Table.from_pylist(rows), path)
    elif kind == "jsonl.zst":
        with pa.output_stream(str(path), compression="zstd") as file:
            file.write(lines)
    else:
        separator = "\t" if kind == "tsv" else ","
        table = [list(rows[0]), *(list(row.values()) for row in rows)]
        path.write_bytes(
            {
                "jsonl": lines,
                "json": json.dumps(rows).encode(),
                "jsonl.gz": gzip.compress(lines),
            }.get(kind, "".join(separator.join(line) + "\n" for line in table).encode())
        )
    run_import("records", rows)

    report = run_import("records", path)

    assert (report.present, report.rows) == (2, 2)


def test_a_cut_off_file_is_refused_by_name_and_finished_by_importing_the_whole_one(store, tmp_path):
    lines = "".join(json.dumps(answer(n, response=f"{n * n * n}" * 20)) + "\n" for n in range(300)).encode()
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(lines)[:-200])

    with pytest.raises(ImportRefusedError, match=r"rows\.jsonl\.gz: the compressed data is broken or cut off"):
        import_all(store, "records", [path])
    assert store.sql("select status from v_runs").to_series().to_list() == ["failed"]
    assert store.sql("select * from v_imports").is_empty()

    path.write_bytes(gzip.compress(lines))
    (report,) = import_all(store, "records", [path])
    assert report.accepted + report.present == 300
    assert count(store, "responses") == 300


def test_a_file_that_cannot_be_read_leaves_the_store_as_it_was(store, tmp_path):
    (tmp_path / "rows.json").write_text('[{"prompt": "Why?"}, ')

    with pytest.raises(ImportRefusedError, match="not valid JSON"):
        import_all(store, "records", [tmp_path / "rows.json"])

    assert counts(store) == dict.fromkeys(TABLES, 0)


def test_an_unknown_format_is_refused_with_the_known_ones(store, tmp_path):
    with pytest.raises(UsageError, match="no format 'alpaca'; known are records, chat, alpaca-eval"):
        import_all(store, "alpaca", [tmp_path / "rows.jsonl"])


def test_half_a_surrogate_pair_is_a_counted_failure_wherever_it_stands(run_import, store):
    fields = ("prompt", "response", "model", "id", "finish_reason", "system", "prompt_id", "dataset", "judge", "raw")
    rows = [answer(n, score=1, **{"judge": "j", field: "\ud800"}) for n, field in enumerate(fields)]
    rows += [answer(98, tags=["\ud800"]), answer(99, settings={"\ud800": 1}), {"\ud800": 1}]

    report = run_import("records", rows)

    assert report.failed == {"bad_content": len(fields) + 2, "missing_field": 1}
    assert "half a surrogate pair" in report.first_refusals[0]
    "\n".join(report.first_refusals).encode()
    assert count(store, "responses") == 0


def test_what_is_not_a_finite_number_is_never_stored_as_a_score(run_import, store):
    wrong = (math.nan, math.inf, "nan", "-Infinity", 10**400, True, "good", [1])

    report = run_import("records", [answer(n, score=score, judge="gpt-4") for n, score in enumerate((*wrong, 7))])

    assert report.failed == {"wrong_type": len(wrong)}
    assert store.sql("select value from v_scores").to_series().to_list() == [7.0]


def test_a_whole_number_too_large_for_its_column_is_a_counted_failure(run_import, store):
    wrong = ({"seed": 2**63}, {"seed": -(2**63) - 1}, {"sample": 2**31}, {"sample": -1}, {"seed": 1e30})

    report = run_import("records", [answer(n, **fields) for n, fields in enumerate((*wrong, {"seed": 2**63 - 1}))])

    assert report.failed == {"out_of_range": len(wrong)}
    assert store.sql("select seed from v_responses").item() == 2**63 - 1


def test_a_refusal_is_one_line_of_bounded_length(run_import, store):
    run_import("records", [answer(1, score="a\nb" * 10_000, judge="j")])

    (detail,) = store.sql("select detail from v_refusals").to_series()
    assert len(detail) == 501
    assert "\n" not in detail


def test_a_models_table_with_an_order_of_versions_states_it_beside_the_rows(run_import, store, tmp_path):
    models = tmp_path / "models.csv"
    models.write_text("name,family,version,size,version_order\nm,f,b,7,2\nn,f,a,7,1\n")
    row = {"model_type": "sft-6b", "context": "A post.", "sample": "Short.", "ref_text": "Shorter."}

    report = run_import("tldr-samples", [row], models=models)  # this format states an order of its own, too

    assert (report.accepted, report.present) == (1, 0)
    assert report.added["version_orders"] == 1
    assert set(store.sql("select family, versions[1] from version_orders").rows()) == {
        ("f", "a"),
        ("instructgpt", "gpt"),
    }


def test_an_order_of_versions_may_be_stated_alone(store):
    with store.run(Run.of_process({})) as run:
        state_version_order(store, VersionOrder("f", ("a", "b"), "somebody"), run=run)

    assert store.sql("select family, versions, stated_by from version_orders").rows() == [("f", ["a", "b"], "somebody")]


def test_a_model_named_like_people_or_like_a_cell_stays_itself(run_import, store):
    run_import(
        "records",
        [
            {"prompt": "q", "response": "1", "model": "human"},
            {"prompt": "q", "response": "2", "human": True},
            {"prompt": "q", "response": "3", "model": "f/v/7"},
            {"prompt": "q", "response": "4", "family": "f", "version": "v", "size": "7B"},
        ],
    )

    assert store.sql("select text, source_kind, source, size from v_responses order by text").rows() == [
        ("1", "model", "human", None),
        ("2", "human", "human", None),
        ("3", "model", "f/v/7", None),
        ("4", "model", "f/v/7", 7.0),
    ]


def test_names_that_nothing_places_are_told_on_every_import(run_import):
    assert run_import("records", [ROW]).unplaced == {"m"}
    assert run_import("records", [ROW]).unplaced == {"m"}


def test_a_name_placed_once_is_known_from_then_on(run_import, store, tmp_path):
    models = tmp_path / "models.csv"
    models.write_text("name,family,version,size\nm,vicuna,v1.5,7\n")
    run_import("records", [answer(1)], models=models)

    report = run_import("records", [answer(2)])

    assert report.unplaced == set()
    assert store.sql("select distinct source, names from v_responses join v_sources using (source)").rows() == [
        ("vicuna/v1.5/7", "m")
    ]


def test_a_name_of_two_cells_stops_the_import_before_anything_is_guessed(run_import, store):
    run_import("records", [answer(1)], family="f", size=7.0)
    run_import("records", [answer(2)], family="f", size=13.0)

    with pytest.raises(UsageError, match="'m' stands for 2 cells in the store"):
        run_import("records", [answer(3)])
    assert count(store, "responses") == 2


def test_the_order_of_files_does_not_change_what_the_store_holds(tmp_path):
    paths = []
    for number in range(3):
        paths.append(tmp_path / f"{number}.jsonl")
        paths[-1].write_text(
            "\n".join(json.dumps(answer(n % 4, model=f"m{number}")) for n in range(number, number + 4))
        )
    keys = set()
    for name, order in (("a", paths), ("b", paths[::-1])):
        store = Store.open(tmp_path / f"{name}.duckdb", create=True)
        import_all(store, "records", order)
        with store.reader() as reader:
            keys.add(reader.snapshot().key)

    assert len(keys) == 1


def test_a_folder_is_imported_file_by_file_and_what_is_passed_over_is_told(store, tmp_path):
    (tmp_path / "d").mkdir()
    for name, n_rows in (("b.jsonl", 2), ("a.csv", 1)):
        rows = [answer(f"{name}{n}") for n in range(n_rows)]
        table = "prompt,response,model\n" + "".join(",".join(row.values()) + "\n" for row in rows)
        text = table if name.endswith("csv") else "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / "d" / name).write_text(text)
    (tmp_path / "d" / "notes.txt").touch()
    told = []

    with store.run(Run.of_process({})) as run:
        reports = import_files(store, "records", [tmp_path / "d"], run=run, progress=told.append)

    assert [(report.path.name, report.accepted) for report in reports] == [("a.csv", 1), ("b.jsonl", 2)]
    assert told[0] == f"passed over, unknown kind '.txt': {tmp_path / 'd' / 'notes.txt'}"


def test_an_import_that_stops_says_what_it_had_stored(store, tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "BATCH_ROWS", 2)
    monkeypatch.setattr(loading, "PAUSE_S", 0)
    for name, n_rows in (("a.jsonl", 1), ("b.jsonl", 7)):
        lines = "".join(json.dumps(answer(f"{name}{n}")) + "\n" for n in range(n_rows))
        (tmp_path / name).write_text(lines)

    with store.run(Run.of_process({})) as run, pytest.raises(ImportRefusedError) as refused:
        import_files(store, "records", [tmp_path], run=run, limits=Limits(file_rows=5))

    assert str(refused.value) == (
        f"{tmp_path / 'b.jsonl'}: more than 5 rows; split it (stored already: 4 rows of this file, 1 file before it)"
    )
    assert count(store, "responses") == 1 + 4
    assert store.sql("select n_accepted from v_imports").rows() == [(1,)]


def test_a_missing_file_is_found_before_anything_is_stored(store, tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps(ROW))

    with pytest.raises(ImportRefusedError, match="no such file or folder"):
        import_all(store, "records", [tmp_path / "a.jsonl", tmp_path / "gone.jsonl"])
    assert counts(store) == dict.fromkeys(TABLES, 0)


def test_a_sheet_gives_the_keys_of_the_same_rows_in_json(run_import, tmp_path):
    import openpyxl

    rows = [answer(n, id=n, sample=0) for n in (1, 2)]
    book = openpyxl.Workbook()
    for line in (list(rows[0]), *(list(row.values()) for row in rows)):
        book.active.append(line)
    book.active["D2"] = 1.0  # an id as spreadsheets hold it
    book.save(tmp_path / "rows.xlsx")
    run_import("records", rows)

    report = run_import("records", tmp_path / "rows.xlsx")

    assert (report.present, report.rows) == (2, 2)


def test_a_judge_prompt_of_many_openings_and_no_end_is_refused_at_once(run_import):
    row = {"question_id": 1, "model": "m", "judge": ["j", "p"], "turn": 1, "judgment": "w", "score": 1}
    opening = "[The Start of Assistant's Answer]\n"

    report = run_import("mt-bench-judgments", [{**row, "user_prompt": opening * 200_000}])  # 7 MB: quadratic is an hour

    assert report.failed == {"no_answer": 1}
