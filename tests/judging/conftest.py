"""A store of a few answers, and a judge that follows a rule instead of thinking."""

import json
import re
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tsocli.data import app
from typer.testing import CliRunner

from tsodata.engines.protocol import Completion, Failure, FailureKind, ModelIdentity
from tsodata.judging import Choice, JournalShelf, StoreShelf, judge, make_task
from tsodata.provenance import Run
from tsodata.records import Message, Origin, Prompt, Reference, Response, Source
from tsodata.runner import Limits
from tsodata.store import Store

SMALL, LARGE = Source.model("owl", "v1", 7.0), Source.model("owl", "v2", 13.0)
HUMAN = Source.people()
ASKED = [Prompt.of_user(f"How much is {n} and {n}?") for n in range(4)]
_FIRST: Message = {"role": "user", "content": "Write a poem."}
POEM = Prompt((_FIRST,))
LATIN = Prompt((_FIRST, {"role": "assistant", "content": None}, {"role": "user", "content": "Now in Latin."}))


KEY = "sk-canary-0123456789"


def answer(prompt, source, text, **known):
    return Response(prompt.prompt_key, source.source_key, text, **known)


def answers():
    """Return two answers to each question, an empty one, and a conversation of two turns."""
    found = [answer(prompt, SMALL, f"It is {2 * n + 1}.") for n, prompt in enumerate(ASKED)]
    found += [answer(prompt, LARGE, f"The sum is {2 * n}, and so on.") for n, prompt in enumerate(ASKED)]
    poem = answer(POEM, SMALL, "Roses are red.")
    latin = answer(LATIN, SMALL, "Rosae sunt rubrae.", previous_key=poem.response_key)
    return [*found, answer(ASKED[0], HUMAN, "  "), poem, latin]


def store_records(store, records):
    by_type = {}
    for record in records:
        by_type.setdefault(type(record), []).append(record)
    with store.run(Run.of_process({})) as run, store.transaction(run) as transaction:
        transaction.append(by_type)


@pytest.fixture(scope="session")
def filled_once(tmp_path_factory):
    store = Store.open(tmp_path_factory.mktemp("filled") / "s.duckdb", create=True)
    origins = [Origin(prompt.prompt_key, "sums", f"s{n}") for n, prompt in enumerate(ASKED)]
    origins += [Origin(POEM.prompt_key, "poems", "p/1"), Origin(LATIN.prompt_key, "poems", "p/2")]
    reference = Reference(ASKED[0].prompt_key, "key", "Zero.")
    store_records(store, [SMALL, LARGE, HUMAN, *ASKED, POEM, LATIN, *origins, reference, *answers()])
    return store.path


@pytest.fixture
def filled(filled_once, tmp_path):
    for path in filled_once.parent.iterdir():
        shutil.copy(path, tmp_path / path.name)
    return Store.at(tmp_path / filled_once.name)


class RuleEngine:
    """Says what a rule says of the last message; keeps what it was asked."""

    name, endpoint, batch_size, max_concurrency = "rule", None, 1, 4
    identity = ModelIdentity("rule-1", revision="r")

    def __init__(self, rule):
        self.rule, self.asked = rule, []

    async def complete(self, requests):
        self.asked += requests
        return [self._completion(request) for request in requests]

    def _completion(self, request):
        said = self.rule(request)
        if isinstance(said, str):
            return Completion(said, "stop", n_prompt_tokens=10, n_completion_tokens=2)
        return said

    async def close(self):
        pass


def fails(kind=FailureKind.BAD_REQUEST):
    return Failure(kind, "no")


def shown_answer(request):
    """Return the answer that a prompt of tso/2 or single/1 shows."""
    content = request.messages[-1]["content"]
    found = re.search(
        r"(?s)<<<ANSWER\n(.*)\nANSWER>>>|### Answer\n(.*)\n### End|### Second answer\n(.*)\n### End", content
    )
    return next(group for group in found.groups() if group is not None)


def shown_text(request):
    """Return the answer that a prompt of tso/1 shows."""
    return request.messages[-1]["content"].split("[Answer]\n")[1].strip()


def by_length(request):
    """Score an answer by its length: 2.0 and a tenth for each character."""
    return f"It has {len(shown_answer(request))} characters.\nScore: {min(10, 2 + len(shown_answer(request)) / 10):.1f}"


def task_of(rubric="tso/2", *, name="j", **asked):
    """Return a task; the fields of a choice stand among its own."""
    choice = Choice(**{k: asked.pop(k) for k in list(asked) if k in Choice.__dataclass_fields__})
    return make_task(rubric, judge=name, choice=choice, **asked)


def judge_by(store, task, rule=by_length, *, journals=None, canary_share=0.0):
    """Judge a store by a rule, into it or into a folder of journals; return the report and the engine."""
    engine, limits = RuleEngine(rule), Limits(concurrency=4, max_attempts=1)
    with store.run(Run.of_process(task.recorded())) as run:
        shelf = JournalShelf(journals, run_key=run.key) if journals else StoreShelf(store, run)
        report = judge(store, task, engine, shelf=shelf, limits=limits, canary_share=canary_share)
    return report, engine


@pytest.fixture
def judged(filled):
    """Judge the store by a rule; return the report and the engine."""

    def run_judge(rule=by_length, rubric="tso/2", *, canary_share=0.0, **asked):
        return judge_by(filled, task_of(rubric, **asked), rule, canary_share=canary_share)

    return run_judge


@pytest.fixture
def copied(filled_once, tmp_path):
    """Return what makes copies of the store of a few answers."""

    def copy(name):
        for path in filled_once.parent.iterdir():
            shutil.copy(path, tmp_path / path.name.replace(filled_once.name, name))
        return Store.at(tmp_path / name)

    return copy


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
