"""Run the benchmarks and write the table: `python -m benchmarks [--small | --medium] [--out docs/benchmarks.md]`.

Contenders alternate: every round runs each of them once, so that a busy machine is busy for all. Whoever would take
hours runs on fewer prompts, and is scaled up; the table says so.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks import page
from benchmarks.filling import fill
from benchmarks.sizes import CONTENDERS, FULL, GROWTH, MEDIUM, SMALL, TASKS, Sizes

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line asks for."""
    asked = _parser().parse_args(arguments)
    sizes = SMALL if asked.small else MEDIUM if asked.medium else FULL
    if asked.folder:
        return _run(sizes, asked.folder, asked)
    with tempfile.TemporaryDirectory() as folder:
        return _run(sizes, Path(folder), asked)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--small", action="store_true", help="a first look, in minutes")
    parser.add_argument("--medium", action="store_true", help="300,000 prompts")
    parser.add_argument("--rounds", type=int, default=3, help="how often each contender runs")
    parser.add_argument("--folder", type=Path, help="where the material stands or is to stand; 6 GB in full")
    parser.add_argument("--out", type=Path, help="write the page here, too")
    parser.add_argument("--results", type=Path, help="add each run's figures to this file; those in it count as well")
    parser.add_argument("--tasks", help="only these, with commas", default="")
    return parser


def _run(sizes: Sizes, folder: Path, asked: argparse.Namespace) -> int:
    found: dict[str, list[dict[str, object]]] = {}
    if asked.results and asked.results.exists():
        for line in asked.results.read_text(encoding="utf-8").splitlines():
            result = json.loads(line)
            found.setdefault(result.pop("name"), []).append(result)
    for name, result in _iter_results(sizes, folder, asked):
        found.setdefault(name, []).append(result)
        _tell(f"{name}: {result}")
        if asked.results:
            with asked.results.open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps({'name': name, **result})}\n")
    differing = _differing(found)
    text = page.write({name: _medians(results) for name, results in found.items()}, sizes)
    print(text)
    if asked.out:
        asked.out.write_text(text, encoding="utf-8")
    for line in differing:
        _tell(f"not the same result: {line}")
    return 1 if differing else 0


def _runs(sizes: Sizes, tasks: str) -> list[tuple[str, str, int]]:
    """Return who does what on how many prompts, each once."""
    runs = [(contender, task, sizes.of(contender, task)) for task in TASKS for contender in CONTENDERS]
    runs += [("store", task, n) for task in GROWTH for n in sizes.growth]
    runs += [("store", task, sizes.full) for task in ("build_in_one_gigabyte", "floors", "questions")]
    runs += [("store", "help", 0)]
    wanted = [name for name in tasks.split(",") if name]
    return [run for run in dict.fromkeys(runs) if not wanted or run[1] in wanted]


def _iter_results(sizes: Sizes, folder: Path, asked: argparse.Namespace) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield `CONTENDER TASK N_PROMPTS` and the figures of one run, round after round."""
    runs = _runs(sizes, asked.tasks)
    for n_prompts in sorted({n for _, _, n in runs if n}):
        fill(folder / str(n_prompts), n_prompts, _tell)
    for _ in range(asked.rounds):
        for contender, task, n_prompts in runs:
            done = subprocess.run(  # noqa: S603  our own interpreter and module
                [sys.executable, "-m", "benchmarks.task", contender, task, folder / str(n_prompts)],
                check=True,
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
            )
            yield f"{contender} {task} {n_prompts}", json.loads(done.stdout)


def _medians(results: list[dict[str, object]]) -> dict[str, float]:
    numbers = {name for result in results for name, value in result.items() if isinstance(value, float)}
    return {name: median(float(str(result[name])) for result in results) for name in sorted(numbers)}


def _differing(found: dict[str, list[dict[str, object]]]) -> list[str]:
    """Return the tasks and sizes at which somebody has another result than the others."""
    checksums: dict[str, set[object]] = {}
    for name, results in found.items():
        _, task, n_prompts = name.split()
        same = f"{task.removesuffix('_in_one_gigabyte')} {n_prompts}"
        checksums.setdefault(same, set()).update(result.get("checksum") for result in results)
    return [name for name, seen in checksums.items() if len(seen) > 1]


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
