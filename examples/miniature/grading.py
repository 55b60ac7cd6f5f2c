"""The rule: an answer's grades from 2 to 10 on the paper's four dimensions, with the evidence in words.

It is the stronger judge, and it is never wrong: every grade follows from the text of prompt and answer alone. Whole
numbers, so that a tiny judge can learn them.

    factuality     10 with the right result; else 2 to 7 by the share of its characters that stand right
    conciseness    10; 2 less for each filler word, and for each begun 8 characters beyond the longest style
    logic          half by the share of steps that hold, half by whether the result follows; 2 without steps
    comprehension  10 where the task is named as it was asked; 6 with other numbers, 4 of another kind, 2 without one
"""

from __future__ import annotations

import re
from typing import NamedTuple

from miniature.problems import ENDINGS, JOINTS, KINDS, Problem, Style, Work, solve, word

DIMENSIONS = ("factuality", "conciseness", "logic", "comprehension")
FILLERS = ("um", "well", "ok", "hm")
LOW, HIGH = 2, 10
_CHARS_OF_A_FAULT = 8
_LONGEST = Style(max(JOINTS, key=len), max(ENDINGS, key=len))
_FORM = re.compile(rf"([a-z]+)((?: \d+)+):((?:[ ,;]+\d+)*) (?:{'|'.join(ENDINGS)}) (\d+)")
_FILLER = re.compile(rf"\b(?:{'|'.join(FILLERS)})\b ?")
_BLANKS = re.compile(r" {2,}")


class Grade(NamedTuple):
    """A grade and why."""

    value: int
    evidence: str


class Read(NamedTuple):
    """What an answer says: the task it names, steps and result, filler words, and its length without them."""

    problem: Problem | None
    work: Work | None
    n_fillers: int
    n_chars: int


def read(answer: str) -> Read:
    """Return what an answer says, as far as it has the form of one."""
    bare = _BLANKS.sub(" ", _FILLER.sub("", answer)).strip()
    n_fillers = len(_FILLER.findall(answer))
    found = _FORM.fullmatch(bare)
    if not found or found[1] not in KINDS:
        return Read(None, None, n_fillers, len(bare))
    steps = tuple(re.findall(r"\d+", found[3]))
    return Read(Problem(found[1], tuple(found[2].split())), Work(steps, found[4]), n_fillers, len(bare))


def grade(prompt: str, answer: str) -> dict[str, Grade]:
    """Return the grades of an answer by dimension."""
    asked, said = Problem.parse(prompt), read(answer)
    return {
        "factuality": _factuality(asked, said),
        "conciseness": _conciseness(asked, said),
        "logic": _logic(asked, said),
        "comprehension": _comprehension(asked, said),
    }


def mean_grade(prompt: str, answer: str) -> float:
    """Return the mean of the four grades."""
    return sum(grade.value for grade in grade(prompt, answer).values()) / len(DIMENSIONS)


def is_right(prompt: str, answer: str) -> bool:
    """Return whether the result is right."""
    return grade(prompt, answer)["factuality"].value == HIGH


def _factuality(asked: Problem, said: Read) -> Grade:
    right = solve(asked).result
    if said.work is None:
        return Grade(LOW, f"{right} not said")
    result = said.work.result
    if result == right:
        return Grade(HIGH, f"{right} is right")
    n_right = sum(a == b for a, b in zip(result, right, strict=False))
    share = n_right / max(len(right), len(result))
    return Grade(LOW + int(share * 5), f"{right} not {result}")


def _conciseness(asked: Problem, said: Read) -> Grade:
    n_over = max(0, said.n_chars - len(word(asked, solve(asked), _LONGEST)))
    n_faults = said.n_fillers + -(-n_over // _CHARS_OF_A_FAULT)
    return Grade(max(LOW, HIGH - 2 * n_faults), f"{n_faults} too much" if n_faults else "no clutter")


def _logic(asked: Problem, said: Read) -> Grade:
    if said.work is None or not said.work.steps:
        return Grade(LOW, "no steps")
    right, steps = solve(asked).steps, said.work.steps
    n_right = sum(a == b for a, b in zip(steps, right, strict=False))
    follows = concluded(asked.kind, steps) == said.work.result
    value = LOW + 4 * n_right / max(len(right), len(steps)) + 4 * follows
    return Grade(int(value), f"{n_right} of {len(right)} hold, {'follows' if follows else 'no end'}")


def concluded(kind: str, steps: tuple[str, ...]) -> str:
    """Return the result that steps lead to, right or not."""
    if kind == "count":
        return str(len(steps))
    if kind == "add":
        return steps[-1] + "".join(step[-1:] for step in reversed(steps[:-1]))
    return "".join(steps)


def _comprehension(asked: Problem, said: Read) -> Grade:
    if said.problem is None:
        return Grade(LOW, "no task")
    if said.problem.kind != asked.kind:
        return Grade(4, f"{said.problem.kind} not {asked.kind}")
    return Grade(HIGH, "as asked") if said.problem == asked else Grade(6, "other numbers")
