"""Judges that share no store: journals hold what a store would, under the same keys."""

import json
import signal
import subprocess
import sys
from math import log

import pytest
from pyarrow import parquet

from tsodata.checks import check_store
from tsodata.engines.protocol import Completion
from tsodata.errors import UsageError
from tsodata.importers import import_files
from tsodata.judging import judgements_in, plan_judging
from tsodata.judging.journals import journal_schema
from tsodata.provenance import Run

from .conftest import ASKED, HUMAN, answer, by_length, fails, judge_by, shown_answer, store_records, task_of

TABLES = {
    "judgements": "* exclude (commit_seq)",
    "scores": "* exclude (commit_seq)",
    "preferences": "* exclude (commit_seq)",
    "rubrics": "* exclude (commit_seq)",
    "shown_responses": "* exclude (commit_seq)",
    "calls": "request_key, task, engine, model, attempt, prompt_key, response_key, judgement_key, failure, detail, "
    "n_prompt_tokens, n_completion_tokens",
    "replies": "served_model, prompt_sha256",
    "settings": "settings_key, body",
}  # fmt: skip
PAIRS = {"rubric": "pair/1", "sources": ("owl/v1/7",), "against": "owl/v2/13"}
ONE_TOKEN = {**PAIRS, "rubric": "token/1"}


def content(store):
    return {table: store.sql(f"select {columns} from {table} order by all").rows() for table, columns in TABLES.items()}


def take_in(store, folder):
    with store.run(Run.of_process({})) as header:
        (*reports,) = import_files(store, "journal", [folder], run=header)
    return reports


def now_and_then(request):
    """Fail on one question in three, say nothing readable on another."""
    return (fails(), "I cannot tell.", by_length(request))[request.key % 3]


def prefers_the_first(request):
    return "[[A=B]]" if "3 and 3" in request.messages[-1]["content"] else "[[A>B]]"


def one_token(_):
    return Completion("m", "length", top_logprobs=({"m": log(0.75), "M": log(0.25)},), served_model="judge-7b")


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ({"n_samples": 2}, now_and_then),
        ({"rubric": "single/1"}, lambda _: "Fine. Rating: [[7]]"),
        (PAIRS, prefers_the_first),
        (ONE_TOKEN, one_token),
    ],
)
def test_shards_that_are_imported_give_what_one_run_gives(copied, tmp_path, asked, rule):
    whole, parts = copied("whole.duckdb"), copied("parts.duckdb")
    twin = answer(ASKED[1], HUMAN, "It is 3.")  # as owl/v1/7 says: one request serves both
    for store in (whole, parts):
        store_records(store, [twin])
    judge_by(whole, task_of(**asked), rule)
    for part in range(2):
        judge_by(parts, task_of(**asked, shard=(part, 2)), rule, journals=tmp_path / "j")
    assert parts.sql("select count(*) from judgements").item() == 0

    reports = take_in(parts, tmp_path / "j")

    assert sum(report.failed.total() + report.skipped.total() for report in reports) == 0
    assert content(parts) == content(whole)
    assert content(whole)["judgements"]
    assert check_store(parts).is_clean
    assert sum(report.accepted for report in take_in(parts, tmp_path / "j")) == 0
    assert plan_judging(parts, task_of(**asked)).n_missing == plan_judging(whole, task_of(**asked)).n_missing


def test_canaries_come_with_the_made_up_answers_that_were_shown(copied, tmp_path):
    whole, parts = copied("whole.duckdb"), copied("parts.duckdb")
    asked = {"n_samples": 1, "dimensions": ["logic"], "dataset": "sums"}
    judge_by(whole, task_of(**asked), canary_share=1.0)
    judge_by(parts, task_of(**asked), journals=tmp_path / "j", canary_share=1.0)

    take_in(parts, tmp_path / "j")

    assert content(parts) == content(whole)
    assert parts.sql("select count(*) from shown_responses").item() == 4
    assert check_store(parts).is_clean


def test_a_run_goes_on_from_the_journals_in_its_folder_and_its_plan_tells_so(filled, tmp_path):
    task = task_of(n_samples=1, dimensions=["logic"])
    first, _ = judge_by(filled, task, lambda r: by_length(r) if "It" in shown_answer(r) else fails(), journals=tmp_path)
    planned = plan_judging(filled, task, judgements_in(tmp_path, "j"))
    second, engine = judge_by(filled, task, journals=tmp_path)
    other, _ = judge_by(filled, task_of(n_samples=1, dimensions=["logic"], name="another"), journals=tmp_path)

    assert (first.sums.n_done, first.sums.n_failed) == (4, 6)
    assert (planned.n_asked, planned.n_present, planned.n_missing) == (10, 4, 6)
    assert (second.n_present, second.n_missing, len(engine.asked)) == (4, 6, 6)
    assert other.n_missing == 10
    take_in(filled, tmp_path)
    assert filled.sql("select count(*), count(distinct judgement_key) from judgements").row(0) == (20, 20)


_DIES = """
import os, signal, sys
from pathlib import Path
from tests.judging.conftest import by_length, judge_by, task_of
from tsodata.store import Store
import tsodata.runner.keeping as keeping
keeping.BATCH_ROWS = 1
n = 0
def rule(request):
    global n
    n += 1
    if n > 9:
        os.kill(os.getpid(), signal.SIGKILL)
    return by_length(request)
judge_by(Store.at(Path(sys.argv[1])), task_of(n_samples=1), rule, journals=Path(sys.argv[2]))
"""


def test_killed_before_the_import_it_loses_nothing_that_a_file_holds(copied, tmp_path):
    whole, parts = copied("whole.duckdb"), copied("parts.duckdb")
    judge_by(whole, task_of(n_samples=1))
    words = [sys.executable, "-c", _DIES, parts.path, tmp_path / "j"]
    done = subprocess.run(words, capture_output=True, check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    (tmp_path / "j" / "half.part").write_bytes(b"PAR1 half")  # what a kill within a write leaves behind

    n_kept = len(judgements_in(tmp_path / "j", "j"))
    _, engine = judge_by(parts, task_of(n_samples=1), journals=tmp_path / "j")
    take_in(parts, tmp_path / "j")

    assert 0 < n_kept < 40
    assert len(engine.asked) == 40 - n_kept
    columns = "select judgement_key from judgements order by all"
    assert parts.sql(columns).rows() == whole.sql(columns).rows()


@pytest.fixture
def row(filled, tmp_path):
    """Return a row of a journal, as a file of lines would hold it."""
    judge_by(filled, task_of(n_samples=1, dimensions=["logic"], dataset="poems"), journals=tmp_path / "j")
    (path,) = (tmp_path / "j").iterdir()
    return parquet.read_table(path).to_pylist()[0]


def changed(row, **changes):
    return {**row, "judgements": [{**row["judgements"][0], **changes}]}


@pytest.mark.parametrize(
    ("change", "reason", "detail"),
    [
        (lambda row: {**row, "task": "dance"}, "bad_content", "no task 'dance'; journals hold generate and judge"),
        (lambda row: {**row, "failure": "bored"}, "bad_content", "no kind of failure 'bored'"),
        (lambda row: {**row, "judgements": []}, "empty_field", "field 'judgements' is empty"),
        (lambda row: {**row, "judgements": "many"}, "wrong_type", "field 'judgements' is not a list of objects"),
        (lambda row: {**row, "prompt_key": "0" * 16}, "bad_content", "answers another prompt"),
        (lambda row: {**row, "response_key": "f" * 16}, "unknown_answer", "import the journals of the answers first"),
        (lambda row: changed(row, response_key="f" * 16), "unknown_answer", "the store has no answer r1-ffff"),
        (lambda row: changed(row, response_key="x"), "wrong_type", "field 'response_key' is not 16 hex digits"),
        (lambda row: changed(row, rubric_key="f" * 16), "bad_content", "the rubric is not that of its key"),
        (lambda row: changed(row, rubric="[]"), "wrong_type", "field 'rubric' is no object"),
        (lambda row: changed(row, verdicts=[]), "empty_field", "field 'verdicts' is empty"),
        (
            lambda row: changed(row, verdicts=[{"dimension": "logic", "value": None, "reason": None, "parser": "p"}]),
            "bad_content",
            "a score has either a value or a reason why not",
        ),
        (
            lambda row: changed(row, probe={"name": "canary", "text": "x", "original_key": row["response_key"]}),
            "bad_content",
            "the made-up answer is not that of its key",
        ),
    ],
)  # fmt: skip
def test_rows_that_do_not_fit_are_refused_in_one_line(filled, row, change, reason, detail):
    path = filled.path.with_name("changed.jsonl")
    path.write_text(f"{json.dumps(change(row))}\n")

    (report,) = take_in(filled, path)

    assert report.failed == {reason: 1}
    assert detail in report.first_refusals[0]
    assert "\n" not in report.first_refusals[0]
    assert filled.sql("select count(*) from judgements").item() == 0


def test_a_file_that_is_no_journal_is_named(filled, tmp_path):
    task = task_of(n_samples=1)
    (tmp_path / "bad.parquet").write_bytes(b"no parquet")

    with pytest.raises(UsageError, match=r"bad\.parquet is no journal .*; move it away, or pass another --journal"):
        judge_by(filled, task, journals=tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="pass another --journal"):
        judge_by(filled, task, journals=tmp_path / "file" / "j")


def test_the_columns_are_those_of_the_documentation():
    assert journal_schema().names[:4] == ["call_key", "request_key", "task", "engine"]
    assert journal_schema().names[-4:] == ["response_key", "judge", "settings", "judgements"]
