"""`tso-data judge` as people type it, with the real engine against a judge on the loopback interface."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tsocli.data import app
from typer.testing import CliRunner

from .conftest import by_length

KEY = "sk-canary-0123456789"


class _Judge(BaseHTTPRequestHandler):
    """Judges by the rule of the tests."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append(body)
        said = by_length(type("Asked", (), {"messages": body["messages"]}))
        choice = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}
        answer = {"id": "x", "object": "chat.completion", "created": 1, "model": "judge-7b", "choices": [choice]}
        data = json.dumps({**answer, "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def endpoint():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Judge) as server:
        server.daemon_threads, server.asked = True, []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def tso(filled, endpoint, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    address = f"http://127.0.0.1:{endpoint.server_port}/v1"

    def run(command, *words, code=0):
        at = ["--endpoint", address] if command in {"judge", "judge-selftest"} else []
        done = CliRunner().invoke(app, [command, *words, *at, "--store", str(filled.path)])
        assert done.exit_code == code, done.output
        return done.stdout

    return run


def test_a_judge_is_planned_asked_told_and_not_asked_again(tso, filled, endpoint):
    words = ("judge", "--rubric", "tso/2", "--model", "judge-7b", "--k", "2", "--dimensions", "logic,factuality")

    planned = tso(*words, "--dry-run")
    assert planned.splitlines() == [
        "judge-7b by tso/2: 11 answers, 1 skipped (1 empty)",
        "judgements: 40 = 0 present + 40 missing",
    ]
    assert endpoint.asked == []

    told = tso(*words)
    assert "requests: 40 = 40 answered + 0 failed + 0 left" in told
    assert "read by score-line/2 (40 ok)" in told
    assert len(endpoint.asked) == 40
    assert {body["temperature"] for body in endpoint.asked} == {0.7}
    assert len({body["seed"] for body in endpoint.asked}) == 12  # six prompts, two samples

    again = json.loads(tso(*words, "--json"))
    assert (again["n_present"], again["n_missing"], len(endpoint.asked)) == (40, 0, 40)
    assert [row["dimension"] for row in again["read"]] == ["factuality", "logic"]
    assert [row["sd_of_samples"] for row in again["read"]] == [0.0, 0.0]
    for path in filled.path.parent.iterdir():
        assert KEY.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--rubric", "tso/9"), "no rubric 'tso/9'; shipped are"),
        (("--rubric", "tso/2", "--canary", "much"), "--canary 'much' is not a share such as 1% or 0.01"),
        (("--rubric", "tso/2", "--engine", "x"), "no engine 'x'"),
        (("--rubric", "tso/2", "--shard", "3"), "--shard '3' is not a part"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_recorded(filled, words, message):
    done = CliRunner().invoke(app, ["judge", "--model", "m", *words, "--store", str(filled.path)])

    assert done.exit_code == 2
    assert message in done.stderr
    assert filled.sql("select count(*) from v_runs").item() == 1
