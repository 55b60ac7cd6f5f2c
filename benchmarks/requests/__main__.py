"""Runs the clients in turn, again and again, and writes docs/benchmarks-requests.md.

    python -m benchmarks.requests [--requests 4000] [--rounds 5] [--rivals PYTHON] [--out FILE]

`--rivals` is the interpreter of an environment that holds inspect_ai and distilabel.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVER = ROOT / "tests" / "chaos" / "server.py"
LATENCY_S, CONCURRENCY = 0.05, 200
RIVALS = ("inspect_ai", "distilabel")
_WHAT = {
    "tso": "`tso-data generate`: planned, paced, each answer committed to a store",
    "openai": "the openai package alone, answers dropped",
    "httpx2": "an HTTP client alone, answers dropped",
    "inspect_ai": "inspect_ai's `Model.generate`",
    "distilabel": "distilabel's `OpenAILLM`",
}


def run_client(python: str, name: str, url: str, *, n: int) -> dict[str, float]:
    """Run one client in a process of its own, and return its seconds."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [python, "-m", "benchmarks.requests.clients", name, url, str(n), str(CONCURRENCY)]
    done = subprocess.run(  # noqa: S603  our own program
        words, capture_output=True, text=True, check=False, cwd=ROOT, env=env
    )
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def page(runs: Mapping[str, Sequence[Mapping[str, float]]], *, n: int, versions: str) -> Iterator[str]:
    """Yield the page's lines."""
    yield "# Benchmarks of requests"
    yield ""
    yield "`make bench-requests` makes this page."
    yield ""
    yield (
        f"{n:,} requests, {CONCURRENCY} at once, against an endpoint on the loopback interface that takes "
        f"{LATENCY_S * 1000:.0f} ms for each answer; every client in a process of its own, all in turn, "
        f"{len(next(iter(runs.values())))} rounds, medians. The share is the median over the rounds of a client's "
        "rate by the openai package's in the same round. Imports are not counted. Only `tso` keeps what it is answered."
    )
    yield ""
    yield f"Machine: {os.cpu_count()} cores, {platform.system()}; {versions}."
    yield ""
    yield "| client | requests a second | of the openai package's | processor ms a request |"
    yield "|---|---:|---:|---:|"
    base = [run["elapsed_s"] for run in runs["openai"]]
    for name, some in runs.items():
        rate = n / statistics.median(run["elapsed_s"] for run in some)
        share = statistics.median(own / run["elapsed_s"] for own, run in zip(base, some, strict=True))
        cpu_ms = statistics.median(run["cpu_s"] for run in some) / n * 1000
        yield f"| {_WHAT[name]} | {rate:,.0f} | {share:.0%} | {cpu_ms:.2f} |"


def main() -> None:
    """Run the benchmark."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--requests", type=int, default=4000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--rivals", help="the interpreter of an environment with inspect_ai and distilabel")
    options.add_argument("--without", default="", help="rivals that are not there, with a comma between")
    options.add_argument("--out", type=Path)
    asked = options.parse_args()
    server = subprocess.Popen(  # noqa: S603  our own program
        [sys.executable, str(SERVER), "--latency", str(LATENCY_S)], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout
    url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
    names = ["tso", "openai", "httpx2", *(r for r in RIVALS if asked.rivals and r not in asked.without.split(","))]
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    try:
        for turn in range(asked.rounds):
            for name in names if turn % 2 else reversed(names):
                python = asked.rivals if name in RIVALS else sys.executable
                runs[name].append(run_client(python, name, url, n=asked.requests))
                print(f"round {turn + 1}: {name} {runs[name][-1]}", file=sys.stderr, flush=True)
    finally:
        server.kill()
        server.wait()
    versions = ", ".join([f"Python {platform.python_version()}", *(f"{p} {metadata.version(p)}" for p in _PACKAGES)])
    text = "\n".join(page(runs, n=asked.requests, versions=versions)) + "\n"
    if asked.out:
        asked.out.write_text(text, encoding="utf-8")
    else:
        print(text, end="")


_PACKAGES = ("openai", "httpx2", "duckdb")

if __name__ == "__main__":
    main()
