"""Kills `tso-data generate` again and again while its endpoint misbehaves, and looks at what is left.

    python tests/torture/asking.py --requests 5000 --kills 50 [--seed 1] [--folder DIR]

The endpoint (tests/chaos/server.py) limits rates, fails, cuts bodies, sends web pages, nothing, errors and the key
itself, is slow or hangs. It logs every answer that it gives, so that after each kill the store can be held against
what was told as stored and against what was really asked: nothing told is lost, nothing is there twice, every answer is
the one that its prompt got, and a kill wastes no more answers than calls at once and one batch. The key is looked for
in every file that was written, and in the process list. Prints its figures; exit code 1 where anything is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tsodata.checks import check_store
from tsodata.store import Store

# it tells where it stands every 20 ms; everything else is the command as people run it
PROGRAM = (
    "from tsodata.runner import running; running.TICK_S = 0.02; "
    "from tsocli import progress; progress.LINE_S = 0; from tsocli.data import main; main()"
)
SERVER = Path(__file__).resolve().parents[1] / "chaos" / "server.py"
CANARY = "sk-canary-0f3b7a61c2d94e58"
BATCH_ROWS = 100
_TOLD = re.compile(r"(\d+)/\d+, (\d+) failed")
STORED = """
select prompts.text as prompt, responses.text, responses.seed, count(*) as n
from calls join responses using (response_key) join prompts on prompts.prompt_key = responses.prompt_key
where calls.failure is null group by all
"""


@dataclass
class Tally:
    """What was seen."""

    kills: int = 0
    idle_kills: int = 0  # before the first request of a life
    told: int = 0
    lost: int = 0
    doubled: int = 0
    wasted: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def must(self, holds, problem):
        if not holds:
            self.problems.append(problem)


class Place:
    """The folder of a torture: the store, the endpoint's log, and the command."""

    def __init__(self, folder, *, n_requests, concurrency, draw):
        self.folder, self.n_requests, self.concurrency, self.draw = folder, n_requests, concurrency, draw
        self.path, self.log = folder / "s.duckdb", folder / "asked.jsonl"
        self.n_read = 0
        folder.mkdir(parents=True, exist_ok=True)
        rows = (json.dumps({"prompt": f"question {i}", "dataset": "d"}) for i in range(n_requests))
        (folder / "rows.jsonl").write_text("\n".join(rows))
        self.env = {key: value for key, value in os.environ.items() if not key.startswith(("TSO_", "OPENAI_"))}
        subprocess.run(
            [sys.executable, "-c", PROGRAM, "import", "records", "rows.jsonl", "--store", self.path],
            cwd=folder,
            env=self.env,
            check=True,
            capture_output=True,
        )

    def serve(self, *, latency_s):
        """Start the endpoint."""
        words = [sys.executable, SERVER, "--log", self.log, "--latency", str(latency_s), "--faults"]
        self.server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self.env |= {"OPENAI_BASE_URL": f"http://127.0.0.1:{int(self.server.stdout.readline())}/v1"}
        self.env |= {"OPENAI_API_KEY": CANARY}

    def ask(self, *, kill_after_s=None):
        """Run the command, killed at a time; return its exit code and what it said."""
        words = ["generate", "--cell", "owl/v1/7", "--model", "owl", "--timeout", "2", "--attempts", "8"]
        words += ["--concurrency", str(self.concurrency), "--store", str(self.path)]
        before = self.n_bytes
        with (self.folder / "said.txt").open("w+") as said:
            process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, *words], stdout=said, stderr=said, cwd=self.folder, env=self.env
            )
            try:
                if kill_after_s is not None and self.draw.random() < 0.9:  # the others may hit the start
                    while process.poll() is None and self.n_bytes == before:
                        time.sleep(0.01)
                process.wait(kill_after_s)
            except subprocess.TimeoutExpired:
                if CANARY.encode() in Path(f"/proc/{process.pid}/cmdline").read_bytes():
                    raise RuntimeError("the key stands in the process list") from None
                process.send_signal(signal.SIGKILL)
                process.wait()
            said.seek(0)
            return process.returncode, said.read()

    @property
    def n_bytes(self):
        """Return how long the endpoint's log is."""
        return self.log.stat().st_size if self.log.exists() else 0

    def answers(self):
        """Return what the endpoint has logged since the last look: a list of its lines."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        new, self.n_read = lines[self.n_read :], len(lines)
        return [json.loads(line) for line in new]


def look(place, tally, before):
    """Hold the store against what it was; return the answers that are accepted now, and how many rows there are."""
    store = Store.open(place.path, wait_s=20)
    report = check_store(store)
    broken = [finding.check.name for finding in report.findings if finding.check.level == "violation"]
    tally.must(not broken, f"checks: {broken}")
    rows = store.sql(STORED).rows()
    tally.doubled += sum(n - 1 for *_, n in rows)
    now = {(prompt, seed): text for prompt, text, seed, _ in rows}
    tally.lost += sum(now.get(key) != text for key, text in before.items())
    return now


def torture(place, tally, *, n_kills):
    """Kill and go on, then run to the end."""
    stored, given = {}, Counter()
    texts = {}
    while tally.kills < n_kills:
        code, said = place.ask(kill_after_s=place.draw.uniform(0.05, 2.0))
        if code not in {0, 1, -signal.SIGKILL}:
            raise RuntimeError(f"exit {code}: {said}")
        now = look(place, tally, stored)
        asked = place.answers()
        good = [line for line in asked if line["text"] is not None]
        given.update(line["kind"] for line in asked)
        texts.update({(line["messages"][-1]["content"], line["seed"]): line["text"] for line in good})
        told = max((int(ended) - int(failed) for ended, failed in _TOLD.findall(said)), default=0)
        tally.told += told
        tally.lost += max(0, told - (len(now) - len(stored)))
        if code == -signal.SIGKILL:
            tally.kills += 1
            tally.idle_kills += not asked
            tally.wasted.append(len(good) - (len(now) - len(stored)))
            tally.must(tally.wasted[-1] <= place.concurrency + BATCH_ROWS, f"a kill wasted {tally.wasted[-1]} answers")
        stored = now
        if code == 0:
            raise RuntimeError(f"all was answered after {tally.kills} kills; pass more --requests")
    while True:
        code, said = place.ask()
        stored = look(place, tally, stored)
        asked = place.answers()
        given.update(line["kind"] for line in asked)
        texts.update({(x["messages"][-1]["content"], x["seed"]): x["text"] for x in asked if x["text"] is not None})
        if code == 0:
            break
        tally.must(code == 1, f"exit {code}: {said}")
        if tally.problems:
            break
    tally.must(len(stored) == place.n_requests, f"{len(stored)} answers for {place.n_requests} prompts")
    tally.must(all(texts.get(key) == text for key, text in stored.items()), "an answer is not its prompt's")
    return given


def find_key(folder):
    """Return the files that hold the key."""
    return [str(path) for path in sorted(folder.rglob("*")) if path.is_file() and CANARY.encode() in path.read_bytes()]


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--requests", type=int, default=5000)
    options.add_argument("--kills", type=int, default=50)
    options.add_argument("--concurrency", type=int, default=32)
    options.add_argument("--latency", type=float, default=0.1)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--folder", type=Path)
    asked = options.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        draw = random.Random(asked.seed)
        place, tally = Place(folder, n_requests=asked.requests, concurrency=asked.concurrency, draw=draw), Tally()
        place.serve(latency_s=asked.latency)
        try:
            given = torture(place, tally, n_kills=asked.kills)
        finally:
            place.server.kill()
            place.server.wait()
        failures = Store.open(place.path).sql("select failure, count(*) from calls group by all order by all").rows()
        holding = find_key(folder)
    tally.must(not holding, f"the key stands in {holding}")
    print(f"requests {asked.requests}, asked {sum(given.values())}: {dict(given.most_common())}")
    print(f"rows of calls: {dict(failures)}")
    mean, most = sum(tally.wasted) / max(1, len(tally.wasted)), max(tally.wasted, default=0)
    print(
        f"kills {tally.kills}, {tally.idle_kills} of them before the first request; {time.monotonic() - started:.0f} s"
    )
    print(f"told as stored {tally.told}, lost {tally.lost}, doubled {tally.doubled}")
    print(f"wasted per kill: mean {mean:.1f}, most {most}; {asked.concurrency} + {BATCH_ROWS} allowed")
    print(*tally.problems or ["no problem"], sep="\n")
    sys.exit(bool(tally.problems or tally.lost or tally.doubled))


if __name__ == "__main__":
    main()
