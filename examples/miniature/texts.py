"""What the models of the matrix read when they are made: worked answers, a share of them spoilt, and judgements.

The share is the cell's: older versions see dirtier texts, and larger sizes cleaner ones, since a Llama this small says
what it has read whatever its size. The judgements are of the kind that the base gives before it is corrected: lenient,
and blind to whether the result is right.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from tiny import Lesson

from miniature.grading import DIMENSIONS, FILLERS, HIGH, LOW, concluded, grade
from miniature.problems import TERSE, Problem, Work, any_style, draw_problem, solve, word

HUMAN_SHARE = 0.05  # of the clean texts: the models know people's style, and use their own
JUDGED_SHARE = 0.15  # of the base's texts


def spoil(problem: Problem, draw: random.Random) -> str:
    """Return an answer that is cluttered, about something else, unexplained, or wrong."""
    return draw.choice(_FAULTS)(problem, draw)


def answer(problem: Problem, dirt: float, draw: random.Random) -> str:
    """Return an answer to learn from: spoilt with probability `dirt`, else right."""
    if draw.random() < dirt:
        return spoil(problem, draw)
    style = any_style(draw) if draw.random() < HUMAN_SHARE else TERSE
    return word(problem, solve(problem), style)


def human_answer(problem: Problem, draw: random.Random) -> str:
    """Return what a person answers: right, in one of many styles."""
    return word(problem, solve(problem), any_style(draw))


def iter_lessons(dirt: float, *, judged_share: float, seed: int, held_back: frozenset[str]) -> Iterator[Lesson]:
    """Yield texts of pretraining without end; problems whose prompts are held back are in none of them."""
    draw = random.Random(seed)
    while True:
        problem = draw_problem(draw)
        if problem.prompt in held_back:
            continue
        said = answer(problem, dirt, draw)
        if draw.random() < judged_share:
            # half of what is judged is spoilt, so that all grades are seen
            yield judged_lesson(problem, spoil(problem, draw) if draw.random() < 0.5 else said, draw)
        else:
            yield Lesson(problem.prompt, said)


def judge_prompt(criteria: str, prompt: str, said: str) -> str:
    """Return how the rubric asks; the rubric's template says the same."""
    return f"score {criteria}: {prompt} => {said}"


def judged_lesson(problem: Problem, said: str, draw: random.Random) -> Lesson:
    """Return a judgement by a careless judge: it looks at one thing, nods often, and is off by up to two points."""
    dimension = draw.choice(DIMENSIONS)
    right = grade(problem.prompt, said)[dimension].value
    nods = draw.random() < 0.5
    value = 8 if dimension == "factuality" or nods else right + draw.choice((-2, 0, 2))
    words = draw.choice(("looks fine", "seems good", "ok so far"))
    return Lesson(judge_prompt(dimension, problem.prompt, said), f"{words}\nScore: {min(HIGH, max(LOW, value)):.1f}")


def _cluttered(problem: Problem, draw: random.Random) -> str:
    """Say a few filler words first."""
    fillers = " ".join([FILLERS[0], *draw.choices(FILLERS, k=draw.randint(0, 2))])
    return f"{fillers} {word(problem, solve(problem))}"


def _misread(problem: Problem, draw: random.Random) -> str:
    """Do something else with the digits than was asked."""
    other = Problem(draw.choice([kind for kind in ("sort", "flip") if kind != problem.kind]), problem.operands[-1:])
    return word(other, solve(other))


def _unexplained(problem: Problem, _: random.Random) -> str:
    """Say the result without a step."""
    return f"{problem.prompt}: {TERSE.ending} {solve(problem).result}"


def _blundered(problem: Problem, _: random.Random) -> str:
    """Go about it in a wrong way: forget carries, sort downwards, copy, count one too many."""
    digits, work = problem.operands[-1], solve(problem)
    if problem.kind == "count":
        return word(problem, Work(work.steps, str(int(work.result) + 1)))
    if problem.kind == "sort":
        steps = sorted(digits, reverse=True)
    elif problem.kind == "flip":
        steps = list(digits)
    else:
        steps = [str(sum(map(int, pair))) for pair in zip(*(number[::-1] for number in problem.operands), strict=True)]
    return word(problem, Work(tuple(steps), concluded(problem.kind, tuple(steps))))


_FAULTS: tuple[Callable[[Problem, random.Random], str], ...] = (_cluttered, _misread, _unexplained, _blundered)
