"""A judge's work as OpenAI's batch files, out and in."""

import json

import pytest

from tsodata.batches import BatchEngine
from tsodata.checks import check_store
from tsodata.engines.protocol import ModelIdentity, Request, Sampling
from tsodata.judging import StoreShelf, read_replies, write_requests
from tsodata.provenance import Run
from tsodata.runner import Limits

from .conftest import by_length, judge_by, task_of

RULE = ModelIdentity("rule-1", revision="r")  # as the engine of the tests
PAIRS = {"rubric": "pair/1", "sources": ("owl/v1/7",), "against": "owl/v2/13"}


def prefers_the_first(_):
    return "[[A>B]]"


@pytest.fixture
def sent(tmp_path):
    """Write a batch file, and return its lines with the report."""

    def write(store, task, **more):
        n, report = write_requests(store, task, RULE, path=tmp_path / "out.jsonl", **more)
        lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
        assert n == len(lines)
        return lines, report

    return write


@pytest.fixture
def read(tmp_path):
    """Read replies into a store, and return the report."""

    def take(store, task, replies, **more):
        path = tmp_path / "in.jsonl"
        path.write_text("".join(f"{json.dumps(reply)}\n" for reply in replies))
        with store.run(Run.of_process({})) as run:
            engine, limits = BatchEngine(path, RULE), Limits()
            return read_replies(store, task, engine, shelf=StoreShelf(store, run), limits=limits, **more)

    return take


def replied(line, rule=by_length, *, status=200, body=None):
    """Return the line that the other side writes for a request."""
    said = rule(Request(0, tuple(line["body"]["messages"]), Sampling()))
    choice = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
    whole = {"id": "x", "object": "chat.completion", "created": 1, "model": "rule-1", "choices": [choice]}
    response = {"status_code": status, "body": body or {**whole, "usage": usage}}
    return {"id": "b", "custom_id": line["custom_id"], "response": response, "error": None}


@pytest.mark.parametrize(
    ("asked", "rule"), [({"n_samples": 2, "dimensions": ["logic"]}, by_length), (PAIRS, prefers_the_first)]
)
def test_replies_give_the_judgements_that_asking_gives(copied, sent, read, asked, rule):
    batch, other = copied("batch.duckdb"), copied("other.duckdb")
    task = task_of(**asked)
    _, engine = judge_by(other, task, rule)
    lines, planned = sent(batch, task)
    report = read(batch, task, [replied(line, rule) for line in reversed(lines)])

    assert {line["custom_id"] for line in lines} == {f"req1-{request.key:016x}" for request in engine.asked}
    assert {line["body"]["model"] for line in lines} == {"rule-1"}
    assert (planned.n_missing, report.n_rows, report.sums.n_done) == (len(lines),) * 3
    assert (report.unplaced, report.n_failed) == ({}, 0)
    for table in ("judgements", "scores", "preferences"):
        keys = "select * exclude (commit_seq) replace (null as settings_key) from judgements order by all"
        columns = keys if table == "judgements" else f"select * exclude (commit_seq) from {table} order by all"
        assert batch.sql(columns).rows() == other.sql(columns).rows()
    assert batch.sql("select distinct task, engine from calls").rows() == [("judge", "batch")]
    assert check_store(batch).is_clean


def test_every_line_of_replies_has_its_place_in_the_sums(filled, sent, read):
    task = task_of(n_samples=1, dimensions=["logic"], dataset="sums")
    lines, _ = sent(filled, task)
    good, limited, broken, expired = lines[:4]
    replies = [
        replied(good),
        replied(good),
        replied(limited, status=429, body={"error": {"message": "slow down"}}),
        replied(broken, body={"choices": []}),
        {"custom_id": expired["custom_id"], "response": None, "error": {"message": "expired"}},
        replied(good) | {"custom_id": "req1-0123456789abcdef"},
        {"custom_id": "mine"},
    ]
    report = read(filled, task, replies)
    again = read(filled, task, replies[:1])
    _, engine = judge_by(filled, task)

    assert (report.n_rows, report.sums.n_done, report.sums.n_failed) == (7, 1, 3)
    assert report.unplaced == {"repeated": 1, "not_planned": 1, "no_request_id": 1}
    assert report.n_failed == 6
    assert (again.n_rows, again.unplaced, again.n_failed) == (1, {"already_there": 1}, 0)
    assert len(engine.asked) == len(lines) - 1


def test_canaries_go_out_and_come_in_where_both_name_the_share(filled, sent, read):
    task = task_of(n_samples=1, dimensions=["logic"], dataset="sums")
    lines, _ = sent(filled, task, canary_share=1.0)
    report = read(filled, task, [replied(line) for line in lines], canary_share=1.0)

    assert (len(lines), report.sums.n_done, report.unplaced) == (12, 12, {})
    assert sum(rank.n_canaries for rank in report.canaries) == 4
