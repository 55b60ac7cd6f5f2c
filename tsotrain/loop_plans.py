"""The plan of a loop: its stages with their steps, what of it the store holds already, and where to begin and end.

Reads the store and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from tsodata.errors import UsageError
from tsodata.generating import plan_cell
from tsodata.store import Store
from tsotrain.errors import TrainError
from tsotrain.loop_config import LoopConfig
from tsotrain.loop_stages import Loop, LoopStage, find_policy, start_policy

STEPS = ("answers", "judge", "build", "train")
DONE, SKIP, NEXT, LATER = "done", "skip", "next", "later"


class Mark(NamedTuple):
    """A place in the loop: a stage, or a step of it."""

    step: str
    stage: int

    @classmethod
    def parse(cls, word: str, number: int, config: LoopConfig) -> Mark:
        """Return the place that people write as `stage 2` or `judge 2`.

        Raises:
            UsageError: there is none.
        """
        if word not in {"stage", *STEPS}:
            raise UsageError(f"{word!r} is no place in a loop; say stage, {', '.join(STEPS)}, and the stage's number")
        if not 1 <= number <= config.n_stages:
            raise UsageError(f"there is no stage {number}: {config.name} has the stages 1 to {config.n_stages}")
        return cls(word, number)

    @property
    def first(self) -> tuple[int, int]:
        """Return where it begins: the stage, and the step's place in it."""
        return self.stage, 0 if self.step == "stage" else STEPS.index(self.step)

    @property
    def last(self) -> tuple[int, int]:
        """Return where it ends."""
        return self.stage, len(STEPS) - 1 if self.step == "stage" else STEPS.index(self.step)


@dataclass(frozen=True, slots=True)
class Span:
    """From where to where the loop is to run."""

    start: Mark
    end: Mark

    @classmethod
    def of(cls, config: LoopConfig, start: tuple[str, int] | None, end: tuple[str, int] | None) -> Span:
        """Return the span of a loop, all of it where nothing is named.

        Raises:
            UsageError: there is no such place, or the end comes before the start.
        """
        begin = Mark.parse(*start, config) if start else Mark("stage", 1)
        until = Mark.parse(*end, config) if end else Mark("stage", config.n_stages)
        if until.last < begin.first:
            raise UsageError(f"{until.step} {until.stage} comes before {begin.step} {begin.stage}; nothing would run")
        return cls(begin, until)

    def holds(self, stage: int, step: str) -> bool:
        """Return whether a step is to run."""
        return self.start.first <= (stage, STEPS.index(step)) <= self.end.last


@dataclass(frozen=True, slots=True)
class StepPlan:
    """What a step is going to do, and whether it is done already."""

    step: str
    state: str  # done, skip (before where it begins), next, later
    detail: str


@dataclass(frozen=True, slots=True)
class StagePlan:
    """A stage with its steps; the policy is there once the stage is done."""

    stage: int
    minibatch: int
    in_pass: int
    build: str
    policy: str | None
    policy_sha256: str | None
    steps: tuple[StepPlan, ...]


@dataclass(frozen=True, slots=True)
class LoopPlan:
    """What a loop is going to do."""

    name: str
    base: str
    recipe: str
    n_stages: int
    n_done: int
    stages: tuple[StagePlan, ...]


def plan_loop(store: Store, loop: Loop, span: Span) -> LoopPlan:
    """Return the plan of a loop.

    Raises:
        UsageError, TrainError: settings cannot be meant, or what the span needs is not there.
    """
    config, start = loop.config, start_policy(loop.config)
    with store.reader() as reader:
        policies = [find_policy(reader, stage) for stage in loop.stages]
        builds = [bool(reader.rows("builds/by_name", name=stage.build)) for stage in loop.stages]
    n_done = next((n for n, policy in enumerate(policies) if policy is None), len(policies))
    check_start(config, span, n_done)
    plans = []
    for stage, policy, is_built in zip(loop.stages, policies, builds, strict=True):
        details = _details(loop, stage)
        if stage.number == n_done + 1 and not is_built:
            before = policies[n_done - 1] if n_done else start
            lacking = [plan_cell(store, ask).n_requests for ask in loop.asks_of(stage, before or start)]
            details["answers"] += f"; {sum(lacking)} missing" if lacking else ""
        states = {step: _state(span, stage, step, n_done=n_done, is_built=is_built) for step in STEPS}
        known = policy if stage.number <= n_done else None
        plans.append(
            StagePlan(
                stage=stage.number,
                minibatch=stage.minibatch,
                in_pass=stage.in_pass,
                build=stage.build,
                policy=known.policy_id if known else None,
                policy_sha256=known.sha256 if known else None,
                steps=tuple(StepPlan(step, states[step], details[step]) for step in STEPS),
            )
        )
    return LoopPlan(config.name, config.base, config.recipe, config.n_stages, n_done, tuple(plans))


def check_start(config: LoopConfig, span: Span, n_done: int) -> None:
    """Refuse to start at a stage whose policy before is not there.

    Raises:
        TrainError: it is not.
    """
    number = span.start.stage
    if number > n_done + 1:
        raise TrainError(
            f"stage {number} of {config.name} starts from the policy of stage {number - 1}, which is not there "
            f"({n_done} stages are done); leave --from out"
        )


def _state(span: Span, stage: LoopStage, step: str, *, n_done: int, is_built: bool) -> str:
    if stage.number <= n_done or (is_built and step != "train"):
        return DONE
    if (stage.number, STEPS.index(step)) < span.start.first:
        return SKIP
    return NEXT if span.holds(stage.number, step) else LATER


def _details(loop: Loop, stage: LoopStage) -> dict[str, str]:
    """Return what each step does, in a few words."""
    config, judge = loop.config, loop.config.judge
    where = "all prompts" if stage.is_first else f"minibatch {stage.minibatch} of {config.name}"
    before = "the base" if stage.is_first else f"policy {stage.number - 1}"
    asks = stage.is_first or loop.asks_base
    who = "all cells" if stage.is_first else f"{config.base} by {before}"
    judged = "nobody judges" if judge is None else " ".join(judge.command) or f"{judge.model} by {judge.rubric}"
    drawn = f"in {config.minibatches} minibatches" if stage.is_first else f"of {where}"
    return {
        "answers": f"{who} on {where}" if asks else "none: no pool draws the base's answers",
        "judge": judged if asks else "nothing new",
        "build": f"{stage.build}: {config.recipe} {drawn}",
        "train": f"policy {stage.number} from {before} in {stage.folder}",
    }
