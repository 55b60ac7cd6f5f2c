"""A seed's matrix in its store: prompts, people's answers, what every cell answers, and what the rule thinks of it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from miniature import steps
from miniature.cells import BASE, SIZES, VERSIONS, folder_of, label
from miniature.problems import Problem, draw_problems
from miniature.steps import EXAM, Place
from miniature.texts import human_answer

PARTS = ("part-1", "part-2", "part-3")
CELLS = tuple(label(version, size.name) for size in SIZES for version in VERSIONS)
_PROBLEMS_SEED = 43
MOST_SEEDS = 4


@dataclass(frozen=True, slots=True)
class Scale:
    """How large everything is."""

    n_part: int = 128  # prompts of each of three parts
    n_exam: int = 200
    n_samples: int = 8  # of the base to each prompt (Sec. 4.1.3: RSO's)
    n_seeds: int = 3
    pretraining: float = 1.0  # share of the steps
    rest_from: float = 8.0  # ReST's threshold

    @property
    def n_prompts(self) -> int:
        """Return the prompts of a seed."""
        return len(PARTS) * self.n_part + self.n_exam


FULL = Scale()
SMALL = Scale(n_part=48, n_exam=48, n_samples=4, n_seeds=1, pretraining=0.4, rest_from=4.0)


def problems_of(scale: Scale, seed: int) -> list[Problem]:
    """Return a seed's problems; no two seeds share one."""
    everybody = draw_problems(scale.n_prompts * MOST_SEEDS, random.Random(_PROBLEMS_SEED))
    return everybody[(seed - 1) * scale.n_prompts : seed * scale.n_prompts]


def held_back(scale: Scale) -> frozenset[str]:
    """Return the prompts that pretraining leaves out: those of all seeds."""
    return frozenset(p.prompt for seed in range(1, MOST_SEEDS + 1) for p in problems_of(scale, seed))


def fill(place: Place, scale: Scale, models: Path) -> dict[str, Any]:
    """Fill a seed's store, and return how each source does at the exam."""
    problems = problems_of(scale, place.seed)
    draw = random.Random(place.seed)
    for number, name in enumerate((*PARTS, EXAM)):
        some = problems[number * scale.n_part :][: scale.n_exam if name == EXAM else scale.n_part]
        rows = [_row(problem, draw) for problem in some]
        steps.import_rows(place, name, rows, dataset=name)
    for cell in CELLS:
        if cell != BASE:
            steps.fill(place, cell, folder_of(models, cell))
    for part in (*PARTS, EXAM):
        n_samples = 1 if part == EXAM else scale.n_samples
        steps.fill(place, BASE, folder_of(models, BASE), dataset=part, n_samples=n_samples)
    for part in PARTS:
        steps.judge_by_rule(place, [BASE], dataset=part)
    steps.judge_by_rule(place, [*CELLS, "human"], dataset=PARTS[0])
    return {}


def examine(place: Place) -> dict[str, Any]:
    """Have the rule grade everybody's exam; it comes after the lessons of the judge, which are not to hold it."""
    steps.judge_by_rule(place, [*CELLS, "human"], dataset=EXAM)
    return {cell: steps.marks(place, cell) for cell in (*CELLS, "human")}


def _row(problem: Problem, draw: random.Random) -> Mapping[str, object]:
    return {"prompt": problem.prompt, "response": human_answer(problem, draw), "human": True, "tags": [problem.kind]}
