"""`eval-run` as people type it: answers and judgements from an endpoint on the loopback interface, then the figures."""

import json
import math
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tsocli.data import app
from typer.testing import CliRunner

from tsodata.provenance import Run
from tsodata.records import Message, Origin, Prompt, Response, Source

QUESTIONS = [Prompt.of_user(f"How much is {n} and {n}?") for n in range(4)]
FIRST: Message = {"role": "user", "content": "How much is 9 and 9?"}
SECOND = Prompt((FIRST, {"role": "assistant", "content": None}, {"role": "user", "content": "And in words?"}))
BASE, CELL = Source.model("old", "v1", 1.0), "owl/v2/7"
TOLD_OF_WORDS = "does not ask in {}'s words"


def answer_of(body):
    """Answer as the model does, by the length of all that it is shown."""
    return f"I say {sum(len(turn['content']) for turn in body['messages'])}."


def verdict_of(text):
    """Return a verdict by its rubric: owl's answer, which says so, is better by far wherever it stands."""
    if "[[A>>B]]" in text:
        return "[[A>>B]]" if "I say" in text.split("### Answer B")[0].split("### Answer A")[1] else "[[B>>A]]"
    return "Fine. Rating: [[7]]" if "[[5]]" in text else "Fine.\nScore: 8.0"


class _Endpoint(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append(body)
        text = "\n".join(turn["content"] for turn in body["messages"])
        refused = self.server.refuses is not None and self.server.refuses in text
        said = answer_of(body) if body["model"] == "owl-7" else verdict_of(text)
        choice = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
        if body.get("top_logprobs"):
            is_first = "I say" in text.split("Model M answered")[0]
            tokens = zip(("m", "M"), (0.8, 0.2) if is_first else (0.1, 0.9), strict=True)
            tops = [{"token": token, "logprob": math.log(p), "bytes": None} for token, p in tokens]
            choice["logprobs"] = {"content": [{**tops[0], "top_logprobs": tops}]}
        usage = {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}
        reply = {"id": "x", "object": "chat.completion", "created": 1, "model": body["model"], "choices": [choice]}
        data = json.dumps({"error": {"message": "no"}} if refused else {**reply, "usage": usage}).encode()
        self.send_response(400 if refused else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def endpoint():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint) as server:
        server.daemon_threads, server.asked, server.refuses = True, [], None
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def questions(store):
    """Fill the store with a benchmark of four questions that the baseline has answered, and one of two turns."""
    first = Prompt((FIRST,))
    answers = [Response(prompt.prompt_key, BASE.source_key, f"Two {n}s.") for n, prompt in enumerate(QUESTIONS)]
    origins = [Origin(prompt.prompt_key, "sums", f"s{n}", ("maths",)) for n, prompt in enumerate(QUESTIONS)]
    turns = [Origin(prompt.prompt_key, "turns", f"t{n}") for n, prompt in enumerate((first, SECOND))]
    with store.run(Run.of_process({})) as run, store.transaction(run) as transaction:
        transaction.append(
            {Source: [BASE], Prompt: [*QUESTIONS, first, SECOND], Origin: [*origins, *turns], Response: answers}
        )
    return store


@pytest.fixture
def evaluate(questions, endpoint, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    address = f"http://127.0.0.1:{endpoint.server_port}/v1"
    at = ("--endpoint", address, "--judge-endpoint", address, "--attempts", "1", "--store", str(questions.path))

    def run(bench, *words, dataset="sums", code=0):
        who = ("--dataset", dataset, "--cell", CELL, "--model", "owl-7", "--judge-model", "judge-7b")
        done = CliRunner().invoke(app, ["eval-run", bench, *who, *words, *at])
        assert done.exit_code == code, done.output
        return done.stdout, done.stderr

    return run


def test_questions_are_answered_judged_and_counted_once_by_the_papers_settings(evaluate, endpoint):
    printed, said = evaluate("mt-bench", "--json", dataset="turns")
    answers = [body for body in endpoint.asked if body["model"] == "owl-7"]
    (row,) = json.loads(printed)

    assert {(body["temperature"], body["top_p"], body["max_tokens"]) for body in answers} == {(0.7, 0.9, 2048)}
    assert sorted(len(body["messages"]) for body in answers) == [1, 3]  # the second turn shows the first one's answer
    assert (row["judge"], row["model"], row["average"], row["turn_1"], row["turn_2"]) == ("judge-7b", CELL, 7, 7, 7)
    assert "judge-7b is not MT-Bench's judge (gpt-4): not to be set beside its figures" in said
    assert "single/1 does not ask in MT-Bench's words (mt-bench)" in said

    n_asked = len(endpoint.asked)
    assert evaluate("mt-bench", "--json", dataset="turns")[0] == printed
    assert len(endpoint.asked) == n_asked == 4


def test_a_comparison_is_with_the_baseline_in_both_orders(evaluate, endpoint):
    printed, said = evaluate("arena-hard", "--against", "old/v1/1", "--json")
    (row,) = json.loads(printed)

    assert (row["model"], row["baseline"], row["win_rate"], row["n_verdicts"]) == (CELL, "old/v1/1", 100.0, 8)
    assert sum(body["model"] == "judge-7b" for body in endpoint.asked) == 8
    assert TOLD_OF_WORDS.format("Arena-Hard") in said


def test_alpacas_two_orders_are_one_verdict_a_question_with_the_baseline_first(evaluate):
    printed, _ = evaluate("alpaca-eval", "--against", "old/v1/1", "--json")
    (row,) = json.loads(printed)

    assert (row["model"], row["baseline"], row["n"], row["n_wins"]) == (CELL, "old/v1/1", 4, 4)
    assert row["win_rate"] == pytest.approx(100 * (0.8 + 0.9) / 2)


def test_a_bench_of_ones_own_counts_only_its_questions(evaluate, questions):
    evaluate("self-bench", "--rubric", "single/1", dataset="turns")
    printed, _ = evaluate("self-bench", "--rubric", "single/1", "--json")
    rows = {row["theme"]: row for row in json.loads(printed)}

    assert set(rows) == {"maths", "overall"}
    assert rows["overall"]["n"] == 4
    words = ["eval", "self-bench", "--rubric", "single/1", "--store", str(questions.path), "--json"]
    stored = CliRunner().invoke(app, [*words, "--dataset", "sums"])
    assert json.loads(stored.stdout) == list(rows.values())
    assert "(no tag)" in CliRunner().invoke(app, words).stdout


def test_questions_without_an_answer_are_told_and_asked_again(evaluate, endpoint):
    endpoint.refuses = "2 and 2"
    printed, said = evaluate("self-bench", "--k", "1", "--json", code=1)

    assert json.loads(printed)[-1]["n"] == 3
    assert f"1 questions have no answer of {CELL}: the figures are of the others" in said
    endpoint.refuses = None
    assert json.loads(evaluate("self-bench", "--k", "1", "--json")[0])[-1]["n"] == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("arena-hard",), "rubric pair/1 compares two: name the baseline with --against"),
        (("mt-bench", "--against", "old/v1/1"), "rubric single/1 looks at one: no --against"),
        (("arena-hard", "--against", "nobody"), "no source goes by 'nobody'"),
        (("mt-bench-2",), "no bench 'mt-bench-2'; known are alpaca-eval"),
        (("mt-bench", "--judge-engine", "x"), "no engine 'x'"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anybody_is_asked(evaluate, endpoint, questions, words, message):
    said = evaluate(*words, code=2)[1]

    assert message in said.splitlines()[-1]
    assert endpoint.asked == []
    assert questions.sql("select count(*) from v_runs").item() == 1


def test_a_dry_run_tells_what_is_lacking_and_who_would_judge_it(evaluate, endpoint):
    printed, _ = evaluate("self-bench", "--dry-run")

    assert "owl/v2/7" in printed
    assert "then judged by judge-7b by rubric tso/2" in printed
    assert endpoint.asked == []
