"""Kills `tso-train loop` again and again, and compares its policies with those of an undisturbed loop.

    python tests/torture/looping.py --kills 24 [--seed 1] [--folder DIR]

A kill comes right after a commit of the loop, right after something that a stage keeps (a checkpoint, the policy, its
registration), or at a random time: then of the loop alone, which its stage must not outlive, or of all its processes
at once, as when a machine dies. After each the store passes every check. In the end each stage's policy has the hash of
the undisturbed loop's, its build the same pairs, and no request has two accepted answers. Loops are run until there
were as many kills as asked for. Prints its figures; exit code 1 where anything is wrong.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "loop"), str(HERE.parents[1] / "examples")]

from loop_place import Place  # noqa: E402  tests/loop is on the path now

from tsodata.checks import check_store  # noqa: E402
from tsodata.store import Store  # noqa: E402

DYING = HERE.parent / "loop" / "dying.py"
DOUBLED = "select request_key from calls where failure is null group by all having count(*) > 1"
PAIRS = "select build, pair_id from v_pairs order by all"
CALLS = "select count(*) from calls where failure is null"
WAYS = ("commit", "stage", "loop", "all")


@dataclass
class Tally:
    """What was seen."""

    kills: Counter = field(default_factory=Counter)
    places: Counter = field(default_factory=Counter)
    lives: int = 0
    loops: int = 0
    problems: list[str] = field(default_factory=list)

    def must(self, holds, problem):
        if not holds:
            self.problems.append(problem)
            print(problem, file=sys.stderr)


def tree(pid):
    """Return a process and all that it has started, whatever session they are in."""
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            found += tree(int(child))
    return found


def live(place, way, draw, *, usual_s):
    """Run the loop and kill it one way; return its exit code, and what it said."""
    env = dict(place.env)
    if way == "commit":
        env["DIE_AFTER"] = str(draw.randint(2, 6))
    if way == "stage":
        env["DIE_IN_STAGE_AFTER"] = str(draw.randint(1, 12))
    said = (place.folder / "said.txt").open("w+")
    process = subprocess.Popen(
        [sys.executable, DYING, "loop"], cwd=place.folder, env=env, stdout=said, stderr=said, start_new_session=True
    )
    try:
        process.wait(draw.uniform(0.1, 1.0) * usual_s if way in {"loop", "all"} else None)
    except subprocess.TimeoutExpired:
        for pid in tree(process.pid) if way == "all" else [process.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        process.wait()
    said.seek(0)
    with said:
        return process.returncode, said.read()


def look(place, tally):
    store = Store.open(place.path, wait_s=60)
    broken = [finding.check.name for finding in check_store(store).findings if finding.check.level == "violation"]
    tally.must(not broken, f"checks: {broken}")
    doubled = store.sql(DOUBLED).rows()
    tally.must(not doubled, f"{len(doubled)} requests have two accepted answers")


def outcome(place):
    """Return what a loop has come to: hashes by stage, and pairs by build."""
    store = Store.open(place.path, wait_s=60)
    hashes = [(stage["stage"], stage["policy_sha256"]) for stage in place.loop()["stages"]]
    return hashes, store.sql(PAIRS).rows(), store.sql(CALLS).rows()


def torture(place, tally, draw, *, usual_s):
    """Kill a loop until it gets to its end."""
    while True:
        way = WAYS[tally.lives % len(WAYS)]
        tally.lives += 1
        code, said = live(place, way, draw, usual_s=usual_s)
        last = ([line for line in said.splitlines() if line.strip()] or ["nothing"])[-1]
        if code == 0:
            return
        is_killed = code == -signal.SIGKILL or (way == "stage" and "exit code 137" in said)
        if not is_killed:
            tally.must(holds=False, problem=f"exit {code} after {way}: {said[-2000:]}")
            return
        tally.kills[way] += 1
        tally.places[where(said)] += 1
        print(f"kill {tally.kills.total()} ({way}): {last[:100]}", file=sys.stderr, flush=True)
        look(place, tally)


def where(said):
    """Return the step that a loop had begun last."""
    marks = {"answers are missing": "answers", "grader.py": "judge", "has ": "build", "training": "train"}
    found = "start"
    for line in said.splitlines():
        if line.startswith("stage "):
            found = next((step for mark, step in marks.items() if mark in line), found)
        elif line.startswith("step "):
            found = "train"
    return found


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=24)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--prompts", type=int, default=16)
    options.add_argument("--folder", type=Path)
    asked = options.parse_args()
    draw, tally, started = random.Random(asked.seed), Tally(), time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        root = asked.folder or Path(temporary)
        (root / "undisturbed").mkdir(parents=True)
        first = Place(root / "undisturbed").fill(n_prompts=asked.prompts)
        began = time.monotonic()
        expected = outcome(first)
        usual_s = (time.monotonic() - began) / len(expected[0])
        while tally.kills.total() < asked.kills and not tally.problems:
            folder = root / f"killed-{tally.loops}"
            folder.mkdir()
            place = Place(folder).fill(n_prompts=asked.prompts)
            torture(place, tally, draw, usual_s=usual_s)
            tally.loops += 1
            if not tally.problems:
                hashes, pairs, calls = outcome(place)
                tally.must(hashes == expected[0], f"policies differ: {hashes} and {expected[0]}")
                tally.must(pairs == expected[1], "pairs differ")
                tally.must(calls == expected[2], f"accepted calls: {calls} and {expected[2]}")
    print(f"kills {tally.kills.total()} in {tally.loops} loops of {len(expected[0])} stages: {dict(tally.kills)}")
    print(f"the step that was at work: {dict(tally.places.most_common())}; {time.monotonic() - started:.0f} s")
    print(f"accepted calls {expected[2][0][0]} in each; policies {[digest[:8] for _, digest in expected[0]]}")
    print(*tally.problems or ["no problem"], sep="\n")
    sys.exit(bool(tally.problems))


if __name__ == "__main__":
    main()
