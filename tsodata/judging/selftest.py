"""How far canned attacks and empty answers move a judge: measured on stored answers, not prevented.

Each answer is judged as it is and under every attack, by the same questions; the lift is the difference, averaged over
dimensions, and its interval is a percentile bootstrap over answers, of which there is one a prompt.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tsodata.engines.protocol import Engine, Request
from tsodata.errors import UsageError
from tsodata.judging.asking import Judging, Waiting
from tsodata.judging.choosing import Task, choose
from tsodata.judging.keeping import StoreShelf
from tsodata.judging.material import Answer
from tsodata.judging.probes import AS_IT_IS, ATTACKS, EMPTIES, SELFTEST, Probe, probing
from tsodata.judging.rubric import Question
from tsodata.judging.texts import load_answers
from tsodata.provenance import Run
from tsodata.runner import Limits, Sums, Tell, run_requests
from tsodata.store import Store

N_ANSWERS = 20
_N_RESAMPLES = 2_000
_TAIL = 0.025


class Lift(NamedTuple):
    """What a probe adds to the score: mean over answers, and the ends of its 95 % interval."""

    probe: str
    is_attack: bool
    n_answers: int
    n_scores: int
    n_without: int  # judgements in which no score could be read
    lift: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Selftest:
    """What came of a self-test: the requests, and the lift of each probe, the largest first."""

    judge: str
    rubric: str
    n_answers: int
    sums: Sums
    lifts: tuple[Lift, ...]

    @property
    def worst(self) -> Lift | None:
        """Return the attack that lifts scores most."""
        return max((lift for lift in self.lifts if lift.is_attack and lift.lift is not None), default=None, key=_size)


def _size(lift: Lift) -> float:
    return float("-inf") if lift.lift is None else lift.lift


def selftest(
    store: Store,
    task: Task,
    engine: Engine,
    *,
    run: Run,
    limits: Limits,
    n_answers: int = N_ANSWERS,
    tell: Tell = lambda _: None,
) -> Selftest:
    """Judge stored answers as they are and attacked, and return by how much each attack lifts the score.

    Raises:
        UnknownNameError: a source or the build is not in the store.
        UsageError: the rubric compares, or no answer is left to be tried.
    """
    if task.rubric.kind != "pointwise":
        raise UsageError(f"rubric {task.rubric.name} compares; a self-test is for rubrics that score one answer")
    with store.reader() as reader:
        choose(reader, task)
        keys = [int(key) for (key,) in reader.rows("judging/drawn", n=n_answers, seed=task.seed)]
        fitting: dict[int, list[int]] = {}
        for response_key, question in reader.rows("judging/fitting", responses=keys):
            fitting.setdefault(response_key, []).append(question - 1)
        answers = load_answers(reader, fitting)
    if not answers:
        raise UsageError("no answer to try the judge on; name other --cells, or a rubric that fits")
    questions = [probing(question, SELFTEST) for question in task.questions]
    judging = Judging(store, task, engine.identity)
    keep = judging.keep(engine, StoreShelf(store, run))
    asked = [(answers[key], [questions[place] for place in fitting[key]]) for key in keys if key in answers]
    waiting = list(_probes(task, asked))
    requests = _requests(store, judging, waiting)
    sums = run_requests(requests, engine, keep, limits=limits, n_total=len(waiting), tell=tell)
    rubrics = [question.record.rubric_key for question in questions]
    with store.reader() as reader:
        rows = reader.rows("judging/lifts", judge=task.judge, rubrics=rubrics, base=AS_IT_IS)
    return Selftest(task.judge, task.rubric.name, len(answers), sums, tuple(_lifts(rows, task.seed)))


def _probes(task: Task, asked: Sequence[tuple[Answer, list[Question]]]) -> Iterator[Waiting]:
    changes: dict[str, Callable[[str], str]] = {AS_IT_IS: str, **ATTACKS, **EMPTIES}
    for answer, questions in asked:
        for name, change in changes.items():
            probe = Probe(SELFTEST, name, answer, change(answer.text))
            for question in questions:
                for sample in range(task.n_samples):
                    yield Waiting(question, (probe.answer,), sample, probe)


def _requests(store: Store, judging: Judging, waiting: Sequence[Waiting]) -> Iterator[Request]:
    """Yield the requests of what the judge has not said yet."""
    keys = sorted({one.shown[0].response_key for one in waiting})
    with store.reader() as reader:
        given = set(reader.rows("judging/given", judge=judging.task.judge, responses=keys))
    for one in waiting:
        if (one.shown[0].response_key, one.question.record.rubric_key, one.sample_index) not in given:
            yield from judging.request(one)


def _lifts(rows: Sequence[tuple[str, str, int, int, float | None]], seed: int) -> Iterator[Lift]:
    by_probe: dict[str, list[tuple[int, int, float | None]]] = {}
    for probe, _, n_scores, n_without, lift in rows:
        by_probe.setdefault(probe, []).append((n_scores, n_without, lift))
    found = []
    for probe, some in by_probe.items():
        if probe == AS_IT_IS:
            continue
        lifts = [lift for _, _, lift in some if lift is not None]
        sums = (len(some), sum(n for n, _, _ in some), sum(n for _, n, _ in some))
        mean = sum(lifts) / len(lifts) if lifts else None
        found.append(Lift(probe, probe in ATTACKS, *sums, mean, *_interval(lifts, seed)))
    yield from sorted(found, key=lambda lift: (-_size(lift), lift.probe))


def _interval(lifts: Sequence[float], seed: int) -> tuple[float | None, float | None]:
    """Return the 2.5th and 97.5th percentile of the mean over resampled answers; none below two answers."""
    if len(lifts) < 2:
        return None, None
    draw = random.Random(seed)  # noqa: S311  no secret
    means = sorted(sum(draw.choices(lifts, k=len(lifts))) / len(lifts) for _ in range(_N_RESAMPLES))
    return means[int(_TAIL * _N_RESAMPLES)], means[_N_RESAMPLES - 1 - int(_TAIL * _N_RESAMPLES)]
