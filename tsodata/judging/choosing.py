"""Which answers are judged, and what is asked about each: a plan over keys, made by SQL, without a single text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from tsodata.builds.minibatches import no_such_build
from tsodata.errors import UnknownNameError, UsageError
from tsodata.judging.rubric import JudgeRubric, Question
from tsodata.judging.upstream import find_rubric
from tsodata.store import Reader

if TYPE_CHECKING:
    import pyarrow as pa

DEFAULT_SEED = 43  # as of builds
_SLICE = 10_000  # keys that are looked up beside the store at once


@dataclass(frozen=True, slots=True)
class Choice:
    """Which answers: of these sources, of this build, of this data set; all where nothing is named.

    `against` names the source whose answers the others are compared with, where a rubric compares.
    """

    sources: tuple[str, ...] = ()
    build: str | None = None
    dataset: str | None = None
    only_unscored: bool = False
    against: str | None = None
    shard: tuple[int, int] = (0, 1)  # which part, counted from 0, of how many


@dataclass(frozen=True, slots=True)
class Task:
    """A judge's task: who judges, by which questions, how often, and what may be shown."""

    judge: str
    rubric: JudgeRubric
    questions: tuple[Question, ...]
    n_samples: int
    seed: int = DEFAULT_SEED
    show_references: bool = True
    choice: Choice = field(default_factory=Choice)

    def recorded(self) -> dict[str, object]:
        """Return what a run records of a task."""
        return {
            "judge": self.judge,
            "rubric": self.rubric.name,
            "rubric_keys": [f"{key:016x}" for key in self.rubric_keys],
            "dimensions": sorted({question.slot for question in self.questions}),
            "n_samples": self.n_samples,
            "show_references": self.show_references,
            "choice": asdict(self.choice),
        }

    @property
    def rubric_keys(self) -> list[int]:
        """Return the key of each question."""
        return [question.record.rubric_key for question in self.questions]


def make_task(
    rubric: str,
    *,
    judge: str,
    dimensions: Sequence[str] = (),
    n_samples: int | None = None,
    is_greedy: bool = False,
    seed: int = DEFAULT_SEED,
    show_references: bool = True,
    choice: Choice | None = None,
) -> Task:
    """Return the task of a rubric by its name or file; greedy is one judgement at temperature 0.

    Raises:
        RubricError: there is no such rubric or dimension.
        UsageError: several greedy judgements, which would all be the same.
    """
    found = find_rubric(rubric)
    if is_greedy:
        if n_samples is not None and n_samples > 1:
            raise UsageError(f"--greedy gives the same words every time; leave --k {n_samples} out")
        found = replace(found, samples=1, sampling=replace(found.sampling, temperature=0.0, top_p=1.0))
    return Task(
        judge=judge,
        rubric=found,
        questions=found.asked_for(dimensions),
        n_samples=n_samples or found.samples,
        seed=seed,
        show_references=show_references,
        choice=choice or Choice(),
    )


class Ask(NamedTuple):
    """One judgement to be made: the answer shown first, the other one of a pair, the question, the sample."""

    response_key: int
    other_key: int | None
    prompt_key: int
    question: int  # its place in the task, counted from 0
    sample_index: int


class Given(NamedTuple):
    """One judgement that was made, by what it is about."""

    response_key: int
    other_key: int | None
    rubric_key: int
    sample_index: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is missing, and the sums: `n_items` answers (pairs) = those skipped by reason + those asked about."""

    missing: pa.Table
    n_items: int
    n_asked: int
    n_present: int
    skipped: Counter[str]

    @property
    def n_missing(self) -> int:
        """Return how many judgements are to be made."""
        return int(self.missing.num_rows)

    def iter_slices(self, size: int) -> Iterator[list[Ask]]:
        """Yield what is missing in slices of so many or more, each with all that is missing on its last prompt."""
        prompts, start = self.missing["prompt_key"], 0
        while start < self.n_missing:
            stop = min(start + size, self.n_missing)
            while stop < self.n_missing and prompts[stop] == prompts[stop - 1]:
                stop += 1
            rows = self.missing.slice(start, stop - start).to_pylist()
            yield [
                Ask(r["response_key"], r["other_key"], r["prompt_key"], r["question"] - 1, r["sample_index"])
                for r in rows
            ]
            start = stop

    def without(self, given: Collection[Given], rubric_keys: Sequence[int]) -> Chosen:
        """Return what is missing beside these judgements, which are kept elsewhere than in the store."""
        import pyarrow as pa

        if not given:
            return self
        asks = [ask for some in self.iter_slices(_SLICE) for ask in some]
        places = [
            place
            for place, ask in enumerate(asks)
            if Given(ask.response_key, ask.other_key, rubric_keys[ask.question], ask.sample_index) not in given
        ]
        n_beside = len(asks) - len(places)
        return replace(
            self, missing=self.missing.take(pa.array(places, pa.int64())), n_present=self.n_present + n_beside
        )


def choose(reader: Reader, task: Task) -> Chosen:
    """Return which judgements of a task are missing.

    Raises:
        UnknownNameError: a source or the build is not in the store.
        UsageError: a rubric that compares is given nothing to compare with, or one that does not is given something.
    """
    choice = task.choice
    is_pairwise = task.rubric.kind == "pairwise"
    if is_pairwise and (choice.build is None) == (choice.against is None):
        raise UsageError(f"rubric {task.rubric.name} compares: name --build for its pairs, or --against SOURCE")
    if choice.against is not None and not is_pairwise:
        raise UsageError(f"rubric {task.rubric.name} looks at one answer at a time; --against is for comparisons")
    build_key = _build_key(reader, choice.build)
    reader.keep(
        "answers_to_judge",
        "judging/answers",
        sources=sorted({key for name in choice.sources for key in find_sources(reader, name)}),
        build_key=build_key,
        dataset=choice.dataset,
        only_unscored=choice.only_unscored,
        shard=choice.shard[0],
        n_shards=choice.shard[1],
    )
    reader.keep(
        "asked",
        "judging/asked",
        slots=[question.slot for question in task.questions],
        turns=[question.n_turns or 0 for question in task.questions],
        with_reference=[question.with_reference for question in task.questions],
        tags=["\n".join(question.tags) for question in task.questions],
        show_references=task.show_references,
    )
    return _pairs(reader, task, build_key) if is_pairwise else _answers(reader, task)


def find_sources(reader: Reader, name: str) -> list[int]:
    """Return the sources of a label, or of a name that a file used.

    Raises:
        UnknownNameError: there is none.
    """
    found = [int(key) for (key,) in reader.rows("judging/sources", name=name)]
    if not found:
        raise UnknownNameError(f"no source {name!r} in the store; the view v_sources has them all")
    return found


def _build_key(reader: Reader, name: str | None) -> int | None:
    if name is None:
        return None
    rows = reader.rows("builds/by_name", name=name)
    if not rows:
        raise no_such_build(reader, name)
    return int(rows[0][0])


def _answers(reader: Reader, task: Task) -> Chosen:
    missing = reader.arrow("judging/missing", judge=task.judge, rubrics=task.rubric_keys, n_samples=task.n_samples)
    n_asked = int(reader.rows("judging/n_asked")[0][0]) * task.n_samples
    return _chosen(reader, "judging/sums", missing, n_asked)


def _pairs(reader: Reader, task: Task, build_key: int | None) -> Chosen:
    if task.choice.against is None:
        reader.keep("pairs_to_judge", "judging/pairs_of_build", build_key=build_key)
    else:
        against = _only(find_sources(reader, task.choice.against), task.choice.against)
        reader.keep("pairs_to_judge", "judging/pairs_against", against=against)
    reader.keep("pairs_asked", "judging/pairs_asked")
    missing = reader.arrow(
        "judging/missing_pairs", judge=task.judge, rubrics=task.rubric_keys, n_samples=task.n_samples
    )
    n_pairs = int(reader.rows("judging/n_pairs_asked")[0][0])
    return _chosen(reader, "judging/pair_sums", missing, n_pairs * 2 * task.n_samples)  # in both orders


def _only(keys: Sequence[int], name: str) -> int:
    if len(keys) > 1:
        raise UsageError(f"{name!r} stands for {len(keys)} sources; name one by its label")
    return keys[0]


def _chosen(reader: Reader, sums: str, missing: pa.Table, n_asked: int) -> Chosen:
    counted = {reason: int(n) for reason, n in reader.rows(sums)}
    skipped = Counter({str(reason): n for reason, n in counted.items() if reason is not None})
    return Chosen(missing, sum(counted.values()), n_asked, n_asked - missing.num_rows, skipped)
