"""`tso-data generate` as people run it: as a process, against an endpoint that misbehaves, stopped and killed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tsodata.checks import check_store
from tsodata.store import Store

PROGRAM = Path(sys.executable).parent / "tso-data"
KEY = "sk-canary-5d1f0c7b9a3e"
ASKED = ("generate", "--cell", "owl/v1/7", "--model", "owl-7")


class Place:
    """A folder with a store of prompts, and the command in it."""

    def __init__(self, folder, url):
        self.folder, self.store = folder, folder / "tso.duckdb"
        self.env = {key: value for key, value in os.environ.items() if not key.startswith(("TSO_", "OPENAI_"))}
        self.env |= {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": KEY}

    def start(self, *words):
        return subprocess.Popen(
            [PROGRAM, *words], cwd=self.folder, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, *words, code=0):
        process = self.start(*words)
        out, said = process.communicate(timeout=120)
        assert process.returncode == code, out + said
        return out, said

    def import_prompts(self, n):
        rows = "".join(json.dumps({"prompt": f"question {i}", "dataset": "d"}) + "\n" for i in range(n))
        (self.folder / "rows.jsonl").write_text(rows)
        self.run("import", "records", "rows.jsonl")

    def sql(self, text):
        return Store.open(self.store, wait_s=20).sql(text).rows()

    def must_be_sound(self):
        findings = check_store(Store.open(self.store, wait_s=20)).findings
        assert [f.check.name for f in findings if f.check.level == "violation"] == []
        written = [path for path in self.folder.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
        assert written == []


@pytest.fixture
def place(chaos, tmp_path):
    """Return what makes a folder with so many prompts, and an endpoint that misbehaves as it is told to."""
    open_servers = []

    def make(n, **server):
        running = chaos.running(**server)
        endpoint = running.__enter__()
        open_servers.append(running)
        made = Place(tmp_path, endpoint.url)
        made.import_prompts(n)
        return made, endpoint

    yield make
    for running in open_servers:
        running.__exit__(None, None, None)


def test_a_plan_a_run_and_nothing_more_to_do(place, tmp_path):
    here, endpoint = place(6)
    (tmp_path / "prices.toml").write_text('[models."owl-7"]\nprompt = 1\ncompletion = 2\n')
    priced = (*ASKED, "--price", "prices.toml", "--samples", "2", "--max-tokens", "1000")

    plan = here.run(*priced, "--dry-run")[0]
    told = json.loads(here.run(*priced, "--dry-run", "--json")[0])
    assert endpoint.n_asked == 0
    assert "owl/v1/7  owl-7 (openai)        6        12      0" in plan
    assert "12 requests, at most 0.02 US dollars" in plan
    assert (told[0]["n_requests"], told[0]["max_completion_tokens"]) == (12, 12_000)

    done = here.run(*priced)[0]
    assert done.startswith("owl/v1/7: 12 lacking = 12 answered + 0 failed + 0 left + 0 skipped\n")
    assert "US dollars" in done
    again = json.loads(here.run(*priced, "--json")[0])
    assert (again[0]["n_lacking"], endpoint.n_asked) == (0, 12)
    here.must_be_sound()


def test_failures_give_exit_code_1_and_are_told_by_kind(place):
    here, _ = place(3, faults={"null_content": 1.0})

    out, _ = here.run(*ASKED, "--attempts", "1", code=1)

    assert "3 lacking = 0 answered + 3 failed + 0 left + 0 skipped" in out
    assert "attempts that failed: 3 (3 null_content)" in out
    assert "select * from v_calls where not is_accepted" in out


def test_a_wait_that_is_too_long_parks_with_exit_code_75_and_a_time(place):
    here, endpoint = place(20, faults={"rate_limited": 1.0}, retry_after="300")

    out, said = here.run(*ASKED, code=75)

    assert "20 lacking = 0 answered + 0 failed + 20 left" in out
    assert "the same command goes on from 20" in said
    assert endpoint.n_asked <= 8
    assert here.sql("select status from run_outcomes order by commit_seq desc limit 1") == [("failed",)]
    here.must_be_sound()


def test_a_refused_key_stops_at_once_with_exit_code_2_and_is_not_shown(place):
    here, endpoint = place(20, status=401)

    out, said = here.run(*ASKED, code=2)

    assert "the endpoint refuses the key (status 401: no, Bearer [key])" in said
    assert endpoint.n_asked <= 8
    assert KEY not in out + said
    here.must_be_sound()


def test_a_key_in_the_address_is_refused_before_anything_is_recorded(place):
    here, _ = place(1)
    n_runs = here.sql("select count(*) from runs")

    _, said = here.run(*ASKED, "--endpoint", f"http://u:{KEY}@127.0.0.1/v1", code=2)
    here.env["OPENAI_BASE_URL"] = f"http://127.0.0.1/v1?key={KEY}"
    _, also = here.run(*ASKED, code=2)

    assert KEY not in said + also
    assert here.sql("select count(*) from runs") == n_runs
    here.must_be_sound()


def test_a_signal_drains_and_the_next_run_asks_only_for_the_rest(place):
    here, endpoint = place(120, latency_s=0.2)
    process = here.start(*ASKED, "--concurrency", "8")
    while endpoint.n_answered < 10:
        time.sleep(0.02)
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=60)

    assert process.returncode == 130, said
    ((n,),) = here.sql("select count(*) from responses")
    assert n == endpoint.n_answered
    assert f"120 lacking = {n} answered + 0 failed + {120 - n} left" in out
    assert here.sql("select status from run_outcomes order by commit_seq desc limit 1") == [("interrupted",)]
    here.run(*ASKED)
    assert endpoint.n_asked == 120
    here.must_be_sound()


def test_kills_lose_nothing_double_nothing_and_waste_no_more_than_is_in_flight_and_one_batch(place):
    faults = {"server_error": 0.04, "cut_body": 0.03, "html": 0.03, "null_content": 0.03, "echo_key": 0.02}
    here, endpoint = place(400, faults=faults, latency_s=0.05)
    draw, stored = random.Random(1), {}
    for _ in range(3):
        given = endpoint.n_answered
        process = here.start(*ASKED, "--concurrency", "16")
        while endpoint.n_answered == given and process.poll() is None:
            time.sleep(0.01)
        time.sleep(draw.uniform(0.1, 0.6))
        process.kill()
        process.communicate()
        time.sleep(0.2)  # what is in flight is answered yet
        rows = dict(here.sql("select prompt_key, text from responses"))
        assert stored.items() <= rows.items()
        assert endpoint.n_answered - given - (len(rows) - len(stored)) <= 16 + 100
        stored = rows
    here.run(*ASKED, "--concurrency", "16", "--attempts", "50")

    accepted = here.sql("select count(*), count(distinct request_key) from calls where failure is null")
    assert accepted == [(400, 400)]
    assert here.sql("select count(*) from v_responses r join v_prompts p using (prompt_id) "
                    "where r.text = '1 turns, seed ' || r.seed || ': ' || p.text") == [(400,)]  # fmt: skip
    here.must_be_sound()


def test_cells_of_a_matrix_shards_and_batch_files_from_the_command_line(place, tmp_path, chaos):
    here, endpoint = place(4)
    (tmp_path / "m.toml").write_text(
        "[[cells]]\ncell = 'owl/v1/7'\nmodel = 'a'\n[[cells]]\ncell = 'owl/v2/7'\nmodel = 'b'\nsamples = 2\n"
    )
    assert here.run("generate", "--matrix", "m.toml")[0].count("lacking") == 2
    assert here.sql("select source, count(*) from v_responses group by all order by all") == [
        ("owl/v1/7", 4),
        ("owl/v2/7", 8),
    ]

    cell = ("generate", "--cell", "owl/v3/7", "--model", "c")
    for part in ("1/2", "2/2"):
        assert "tso-data import journal journals" in here.run(*cell, "--shard", part)[1]
    assert "4 accepted" in here.run("import", "journal", "journals")[0]
    assert endpoint.n_asked == 16

    cell = ("generate", "--cell", "owl/v4/7", "--model", "d")
    assert here.run(*cell, "--batch-out", "out.jsonl")[0] == "out.jsonl written: 4 requests\n"
    with (tmp_path / "in.jsonl").open("w") as file:
        for line in map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines()):
            body = json.loads(chaos.completion(line["body"], "from the batch"))
            reply = {"custom_id": line["custom_id"], "response": {"status_code": 200, "body": body}}
            file.write(json.dumps(reply) + "\n")
    assert "lines of the file: 4 = 4 answered" in here.run(*cell, "--batch-in", "in.jsonl")[0]
    here.must_be_sound()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--model", "m"), "--cell and --model: no cell"),
        (("--cell", "owl/v1/7"), "--cell and --model: no model"),
        (("--cell", "owl", "--model", "m"), "'owl' is not a cell"),
        (("--cell", "owl/v1/7", "--model", "m", "--budget-usd", "1"), "pass --price TABLE.toml"),
        (("--cell", "owl/v1/7", "--model", "m", "--shard", "3/2"), "--shard '3/2' is not a part"),
        (("--cell", "owl/v1/7", "--model", "m", "--engine", "x"), "no engine 'x'"),
        (("--matrix", "m.toml", "--cell", "owl/v1/7"), "leave --cell and --model out"),
    ],
)
def test_what_cannot_be_meant_is_one_line(words, said, tmp_path, monkeypatch):
    from tsocli.data import app
    from typer.testing import CliRunner

    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    result = CliRunner().invoke(app, ["generate", *words, "--store", str(tmp_path / "s.duckdb")])

    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_line_of_progress_tells_all_that_people_want_to_know():
    from tsocli.progress import progress_line

    from tsodata.runner import Progress

    line = progress_line("owl/v1/7", Progress(120, 5, 16, 500, 43_210, 60.0, 0.0), bar=True)

    assert line == (
        "owl/v1/7 [######..................] 125/500, 5 failed, 16 in flight, 43,210 tokens, 2.0/s, 3 min 08 s left"
    )
    assert progress_line("c", Progress(0, 0, 8, None, 0, 0.0, 12.4), bar=False) == (
        "c 0, 0 failed, 8 in flight, 0 tokens, 0.0/s, waiting 12 s as asked"
    )
