"""Write a small sample matrix: three versions by three sizes of a made-up model, people's answers, judged.

    python examples/sample_matrix.py FOLDER

The tasks are sums and word lists whose answers can be checked, so a made-up judge can be right. Newer and larger models
err less. Everything follows from the seed: the files are the same on every machine.
"""

from __future__ import annotations

import csv
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

VERSIONS = ("v1", "v2", "v3")
SIZES_B = (1, 7, 13)
BASE = ("v3", 7)
BASE_SAMPLES = 4
JUDGE, RUBRIC = "sample-judge", "sample-quality"
THINGS = ("apples", "books", "coins", "drums", "eggs", "flags", "gears", "hats", "inks", "jars")
NAMES = ("Ada", "Ben", "Chen", "Dina", "Emre", "Fay", "Gus", "Hana", "Ivo", "Jun")
SYSTEM = "You are a patient teacher. Answer in two sentences."


class Task(NamedTuple):
    """A question with its messages, the right number, and the words of a worked answer."""

    messages: list[dict[str, str]]
    result: int
    worked: str


def tasks() -> Iterator[Task]:
    """Yield sixty tasks: one in ten has a system prompt, and one in ten is the second turn of a dialogue."""
    draw = random.Random("tasks")
    for number in range(60):
        name, thing = NAMES[number % 10], THINGS[(number // 10 + number) % 10]
        have, get = draw.randint(11, 89), draw.randint(11, 89)
        question = f"{name} has {have} {thing} and gets {get} more. How many {thing} does {name} have now?"
        messages = [{"role": "user", "content": question}]
        result, worked = have + get, f"{have} + {get} = {have + get}"
        if number % 10 == 3:
            messages.insert(0, {"role": "system", "content": SYSTEM})
        if number % 10 == 7:
            lost = draw.randint(2, 9)
            messages += [
                {"role": "assistant", "content": f"{name} has {result} {thing} now."},
                {"role": "user", "content": f"Then {name} loses {lost} of them. How many are left?"},
            ]
            result, worked = result - lost, f"{result} - {lost} = {result - lost}"
        yield Task(messages, result, worked)


def answer(task: Task, version: str, size_b: int, sample: int) -> tuple[str, float]:
    """Return a cell's answer to a task, and how good it is on the judge's scale of 2.0 to 10.0."""
    draw = random.Random(f"{task.messages}|{version}|{size_b}|{sample}")
    skill = 0.25 + 0.12 * VERSIONS.index(version) + 0.16 * SIZES_B.index(size_b)
    is_right, shows_work = draw.random() < skill, draw.random() < skill
    result = task.result if is_right else task.result + draw.choice((-10, -2, -1, 1, 2, 10))
    words = (
        f"{task.worked.rpartition('=')[0]}= {result}. So the answer is {result}." if shows_work else f"It is {result}."
    )
    chatter = draw.choice(("", "", "Good question! ", "Let me think. "))
    score = (7.0 if is_right else 2.5) + (2.0 if shows_work else 0.0) - (0.5 if chatter else 0.0)
    return chatter + words, score + draw.choice((0.0, 0.1, 0.2, 0.3))


def answer_rows() -> Iterator[dict[str, Any]]:
    """Yield every cell's answers with the judge's words; the base model answers each task several times."""
    for number, task in enumerate(tasks()):
        for version in VERSIONS:
            for size_b in SIZES_B:
                for sample in range(BASE_SAMPLES if (version, size_b) == BASE else 1):
                    text, score = answer(task, version, size_b, sample)
                    evidence = "the result is right" if score > 6 else "the result is wrong"
                    yield {
                        "prompt_id": f"task-{number:02}",
                        "messages": task.messages,
                        "model": f"owl-{version}-{size_b}b",
                        "sample": sample,
                        "settings": {"temperature": 0.7, "top_p": 0.9},
                        "response": text,
                        "judge": JUDGE,
                        "rubric": RUBRIC,
                        "scale_min": 2,
                        "scale_max": 10,
                        "score": round(score, 1),
                        "raw": f"Evaluation evidence: {evidence}.\nScore: {score:.1f}",
                    }


def human_rows() -> Iterator[dict[str, Any]]:
    """Yield the answers that people wrote, as chat messages."""
    for number, task in enumerate(tasks()):
        opening = ("Sure: ", "", "We add up. ", "Step by step: ")[number % 4]
        written = {"role": "assistant", "content": f"{opening}{task.worked}, so it is {task.result}."}
        yield {"prompt_id": f"task-{number:02}", "messages": [*task.messages, written]}


def write(folder: Path) -> None:
    """Write the matrix's three files."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "models.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("name", "family", "version", "size"))
        table.writerows((f"owl-{v}-{s}b", "owl", v, s) for v in VERSIONS for s in SIZES_B)
    for name, rows in (("answers.jsonl", answer_rows()), ("people.jsonl", human_rows())):
        with (folder / name).open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
