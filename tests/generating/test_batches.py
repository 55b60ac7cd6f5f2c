"""OpenAI's batch files, out and in."""

import json
import shutil

import pytest

from tsodata.errors import ImportRefusedError, UsageError
from tsodata.generating import StoreShelf, read_replies, write_requests
from tsodata.provenance import Run
from tsodata.runner import Limits
from tsodata.store import Store


@pytest.fixture
def read(with_prompts):
    def run(ask, path, lines=None):
        if lines is not None:
            path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        with with_prompts.run(Run.of_process({})) as header:
            return read_replies(with_prompts, ask, StoreShelf(with_prompts, header), path=path, limits=Limits())

    return run


def replied(line, chaos, *, status=200, body=None):
    """Return the line that the other side writes for a request."""
    said = body or json.loads(chaos.completion(line["body"], chaos.answer_text(line["body"])))
    return {"id": "b", "custom_id": line["custom_id"], "response": {"status_code": status, "body": said}, "error": None}


def test_what_a_cell_lacks_goes_out_under_its_request_ids(with_prompts, ask_for, tmp_path):
    with ask_for() as (_, ask):
        n, skipped = write_requests(with_prompts, ask, tmp_path / "out.jsonl")

    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert (n, len(lines), skipped) == (6, 6, {"no_earlier_answer": 2})  # a dialogue's first turn, and five prompts
    assert {(line["method"], line["url"]) for line in lines} == {("POST", "/v1/chat/completions")}
    assert len({line["custom_id"] for line in lines}) == 6
    assert all(line["custom_id"].startswith("req1-") and line["body"]["model"] == "owl-7" for line in lines)


def test_replies_give_the_same_keys_as_asking_and_the_rest_is_asked_for(with_prompts, ask_for, fill, read, chaos):
    folder = with_prompts.path.parent
    other = Store(shutil.copy(with_prompts.path, folder / "other.duckdb"), 20.0)
    with ask_for(dataset="single") as (endpoint, ask):
        write_requests(with_prompts, ask, folder / "out.jsonl")
        lines = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
        report = read(ask, folder / "in.jsonl", [replied(line, chaos) for line in reversed(lines[:3])])
        fill(with_prompts, ask)
        assert endpoint.n_asked == 2
        fill(other, ask)

    assert (report.n_rows, report.sums.n_done, report.n_left, report.unplaced) == (3, 3, 2, {})
    columns = "select request_key, response_key, settings_key is null from calls order by all"
    assert with_prompts.sql(columns).rows() == other.sql(columns).rows()
    assert {row[2] for row in other.sql(columns).rows()} == {False}
    assert with_prompts.sql("select engine, count(*) from calls group by all order by all").rows() == [
        ("batch", 3),
        ("openai", 2),
    ]


def test_every_line_of_replies_has_its_place_in_the_sums(with_prompts, ask_for, read, chaos, tmp_path):
    with ask_for(dataset="single") as (_, ask):
        write_requests(with_prompts, ask, tmp_path / "out.jsonl")
        lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
        good, limited, broken, empty, _ = lines
        replies = [
            replied(good, chaos),
            replied(good, chaos),
            replied(limited, chaos, status=429, body={"error": {"message": "slow down"}}),
            replied(broken, chaos, body={"choices": []}),
            {"custom_id": empty["custom_id"], "response": None, "error": {"message": "expired"}},
            replied(good, chaos) | {"custom_id": "req1-0123456789abcdef"},
            {"custom_id": "mine"},
        ]
        report = read(ask, tmp_path / "in.jsonl", replies)
        again = read(ask, tmp_path / "in.jsonl")

    assert (report.n_rows, report.sums.n_done, report.sums.n_failed) == (7, 1, 3)
    assert report.unplaced == {"repeated": 1, "not_planned": 1, "no_request_id": 1}
    assert report.n_failed == 6
    assert report.sums.failures == {"server_error": 1, "no_choices": 1, "error_in_body": 1}
    assert again.unplaced == {"repeated": 1, "not_planned": 1, "no_request_id": 1, "already_there": 1}
    details = with_prompts.sql("select distinct detail from calls where failure = 'error_in_body'").item()
    assert details == "no response: expired"


def test_a_file_that_cannot_be_used_is_said(with_prompts, ask_for, read, tmp_path):
    with ask_for() as (_, ask):
        with pytest.raises(ImportRefusedError, match="is no file"):
            read(ask, tmp_path / "none.jsonl")
        with pytest.raises(UsageError, match="cannot be written"):
            write_requests(with_prompts, ask, tmp_path / "gone" / "out.jsonl")
    assert not list(tmp_path.glob(".*.part"))
