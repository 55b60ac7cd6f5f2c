"""The problems: four kinds of small tasks on digits, each with one right worked answer. Knows no model and no grade.

An answer names the task again, shows its steps and ends with the result: `add 47 38: 15 8 so 85`. What stands in it
for each kind:

    add    sums of the digits from the right, the carry counted in
    sort   the digits, smallest first
    count  the digit as often as it comes
    flip   the digits from the last to the first
"""

from __future__ import annotations

import random
from collections.abc import Collection
from typing import NamedTuple

KINDS = ("add", "sort", "count", "flip")
ENDINGS = ("so", "thus", "hence", "giving")  # how people lead to a result; models say the first
JOINTS = (" ", ", ", "; ")  # what people write between steps; models write the first
N_DIGITS = {"add": 2, "sort": 4, "count": 5, "flip": 4}


class Problem(NamedTuple):
    """A task and what it is about: `add 47 38` is `add` of `47` and `38`."""

    kind: str
    operands: tuple[str, ...]

    @property
    def prompt(self) -> str:
        """Return the problem as it is asked."""
        return " ".join((self.kind, *self.operands))

    @classmethod
    def parse(cls, prompt: str) -> Problem:
        """Return the problem of a prompt."""
        kind, *operands = prompt.split()
        return cls(kind, tuple(operands))


class Work(NamedTuple):
    """Steps and a result."""

    steps: tuple[str, ...]
    result: str


class Style(NamedTuple):
    """How an answer is worded."""

    joint: str = JOINTS[0]
    ending: str = ENDINGS[0]


TERSE = Style()


def solve(problem: Problem) -> Work:
    """Return the right steps and result."""
    digits = problem.operands[-1]
    if problem.kind == "sort":
        return Work(tuple(sorted(digits)), "".join(sorted(digits)))
    if problem.kind == "flip":
        return Work(tuple(digits[::-1]), digits[::-1])
    if problem.kind == "count":
        steps = tuple(digit for digit in digits if digit == problem.operands[0])
        return Work(steps, str(len(steps)))
    return _sum(*problem.operands)


def _sum(left: str, right: str) -> Work:
    steps, carry = [], 0
    for a, b in zip(reversed(left), reversed(right), strict=True):
        total = int(a) + int(b) + carry
        steps.append(str(total))
        carry = total // 10
    return Work(tuple(steps), str(int(left) + int(right)))


def word(problem: Problem, work: Work, style: Style = TERSE) -> str:
    """Return an answer as text."""
    return " ".join((f"{problem.prompt}:", style.joint.join(work.steps), style.ending, work.result))


def any_style(draw: random.Random) -> Style:
    """Return one of the ways in which people write."""
    return Style(draw.choice(JOINTS), draw.choice(ENDINGS))


def draw_problem(draw: random.Random) -> Problem:
    """Return a problem of any kind."""
    kind = draw.choice(KINDS)
    n = N_DIGITS[kind]
    if kind == "add":
        low, high = 10 ** (n - 1), 10**n
        return Problem(kind, (str(draw.randrange(low, high)), str(draw.randrange(low, high))))
    if kind == "count":
        few = draw.sample("0123456789", 3)  # so that a digit comes more than once
        digits = [few[0], *draw.choices(few, k=n - 1)]
        draw.shuffle(digits)
        return Problem(kind, (few[0], "".join(digits)))
    return Problem(kind, ("".join(draw.choice("0123456789") for _ in range(n)),))


def draw_problems(n_problems: int, draw: random.Random, *, but: Collection[str] = ()) -> list[Problem]:
    """Return so many problems, each once, as many of each kind as chance has it, and none whose prompt is in `but`."""
    found: dict[str, Problem] = {}
    while len(found) < n_problems:
        problem = draw_problem(draw)
        if problem.prompt not in but:
            found[problem.prompt] = problem
    return list(found.values())
