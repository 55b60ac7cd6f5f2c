"""Run the commands of a Markdown page's console blocks, in order, in a folder.

    python examples/tour.py README.md FOLDER [--check]

Lines that begin with `$ ` are commands; the lines after one are what it prints. With --check the outputs are compared,
ids of runs aside, and the first difference ends the tour with exit code 1.
"""

from __future__ import annotations

import difflib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
_RUN = re.compile(r"run1-[0-9a-f…]+")


class Step(NamedTuple):
    """A command and what the page says it prints."""

    command: str
    output: str


def steps(page: str) -> Iterator[Step]:
    """Yield the steps of a page."""
    for block in _BLOCK.findall(page):
        for part in re.split(r"(?m)^\$ ", block)[1:]:
            command, _, output = part.partition("\n")
            yield Step(command, output)


def run(step: Step, folder: Path) -> str:
    """Return what a step's command prints on stdout; its stderr goes to ours."""
    done = subprocess.run(step.command, shell=True, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S602  the page's own commands
    return done.stdout


def tour(page: Path, folder: Path, *, check: bool) -> bool:
    """Run a page's steps in a folder and print them; return whether the outputs are the page's, where checked."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "examples").symlink_to(Path(__file__).resolve().parent)
    for step in steps(page.read_text(encoding="utf-8")):
        print(f"$ {step.command}", flush=True)
        output = run(step, folder)
        print(output, end="", flush=True)
        said, done = (_RUN.sub("run1-…", text).strip().splitlines() for text in (step.output, output))
        if check and said != done:
            print(*difflib.unified_diff(said, done, "the page", "the program", lineterm=""), sep="\n")
            return False
    return True


if __name__ == "__main__":
    sys.exit(0 if tour(Path(sys.argv[1]), Path(sys.argv[2]), check="--check" in sys.argv) else 1)
