"""The plan of a loop: its stages with their steps, what of it the store holds already, and where to begin and end.

Reads the store and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from tsodata.engines.templates import find_model
from tsodata.errors import UsageError
from tsodata.generating import Ask, plan_cell
from tsodata.provenance import format_id
from tsodata.recipes import Recipe
from tsodata.store import Reader, Store
from tsotrain.errors import TrainError
from tsotrain.loop_config import LoopConfig

STEPS = ("answers", "judge", "build", "train")
DONE, NEXT, LATER = "done", "next", "later"


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


class Policy(NamedTuple):
    """A policy that a loop starts from or has made; the start has no key before a stage has registered it."""

    artefact_key: int | None
    path: Path
    sha256: str

    @property
    def policy_id(self) -> str | None:
        """Return the id that people see."""
        return None if self.artefact_key is None else format_id("artefact", self.artefact_key)


@dataclass(frozen=True, slots=True)
class LoopStage:
    """Stage s: which minibatch of the first build, in which pass, by which build of its own, and where."""

    number: int
    minibatch: int
    in_pass: int
    build: str
    folder: Path

    @classmethod
    def of(cls, config: LoopConfig, number: int) -> LoopStage:
        """Return a stage of a loop, counted from 1."""
        in_pass, minibatch = divmod(number - 1, config.minibatches)
        build = config.name if number == 1 else f"{config.name}@{number}"
        return cls(number, minibatch + 1, in_pass + 1, build, config.root / str(number))

    def recipe(self, config: LoopConfig, recipe: Recipe, before: Policy | None) -> Recipe:
        """Return the recipe of the stage's build.

        After the first stage: the same pools, of the prompts of one minibatch, with the base's answers by the policy
        before. A pass draws by a seed of its own, else it would draw the other cells' pairs again.
        """
        if self.number == 1 or before is None:
            return recipe
        of_base = config.pools_of_base(recipe)
        pools = {
            name: replace(pool, policy=before.sha256) if name in of_base else pool
            for name, pool in recipe.pools.items()
        }
        filters = replace(recipe.filters, build=config.name, minibatch=self.minibatch)
        seed = recipe.seed + self.in_pass - 1
        return replace(recipe, pools=pools, filters=filters, n=None, minibatches=1, held_out=0.0, seed=seed)


@dataclass(frozen=True, slots=True)
class StepPlan:
    """What a step is going to do, and whether it is done already."""

    step: str
    state: str  # done, next, later
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


def find_policy(reader: Reader, stage: LoopStage) -> Policy | None:
    """Return the policy that a stage has registered, or None where it has not."""
    found = reader.rows("builds/by_name", name=stage.build)
    rows = reader.rows("stages/policy", build=found[0][0], minibatch=1) if found else []
    return Policy(int(rows[0][0]), Path(str(rows[0][1])), str(rows[0][2])) if rows else None


def start_policy(config: LoopConfig) -> Policy:
    """Return the policy that stands in the base cell at the start.

    Raises:
        TrainError: there is no such folder, or it holds no model.
    """
    path = Path(config.policy)
    check_folder(path, "loop.policy")
    try:
        return Policy(None, path, find_model(config.policy).revision)
    except UsageError as error:
        raise TrainError(f"loop.policy: {error}") from error


def check_folder(path: Path, what: str) -> None:
    """Refuse to go on from a policy whose folder is gone: its path would be taken for a name at an endpoint.

    Raises:
        TrainError: it is.
    """
    if not path.is_dir():
        raise TrainError(f"{what}: no folder {path}; a stage starts from the folder of a model")


def asks_of(config: LoopConfig, recipe: Recipe, stage: LoopStage, before: Policy) -> list[Ask]:
    """Return what is asked in a stage: in the first all cells on all prompts, later the base on one minibatch.

    Raises:
        UsageError: a setting is not known, or of another type.
    """
    asks = config.ask_others() if stage.number == 1 else []
    if config.asks_base(recipe):
        ask = config.ask_base(before.path, before.sha256, stage=stage.number)
        asks.append(ask if stage.number == 1 else replace(ask, build=config.name, minibatch=stage.minibatch))
    return asks


def plan_loop(store: Store, config: LoopConfig, span: Span) -> LoopPlan:
    """Return the plan of a loop.

    Raises:
        UsageError, TrainError: settings cannot be meant, or what the span needs is not there.
    """
    recipe, start = config.load_recipe(), start_policy(config)
    stages = [LoopStage.of(config, number) for number in range(1, config.n_stages + 1)]
    with store.reader() as reader:
        policies = [find_policy(reader, stage) for stage in stages]
        builds = [bool(reader.rows("builds/by_name", name=stage.build)) for stage in stages]
    n_done = next((n for n, policy in enumerate(policies) if policy is None), len(policies))
    check_start(config, span, n_done)
    plans = []
    for stage, policy, is_built in zip(stages, policies, builds, strict=True):
        before = policies[stage.number - 2] if stage.number > 1 else start
        details = _details(store, config, recipe, stage, before if stage.number == n_done + 1 else None)
        steps = tuple(
            StepPlan(step, _state(span, stage, step, n_done=n_done, is_built=is_built), details[step]) for step in STEPS
        )
        is_done = policy is not None and stage.number <= n_done
        plans.append(
            StagePlan(
                stage=stage.number,
                minibatch=stage.minibatch,
                in_pass=stage.in_pass,
                build=stage.build,
                policy=policy.policy_id if policy and is_done else None,
                policy_sha256=policy.sha256 if policy and is_done else None,
                steps=steps,
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
    return NEXT if span.holds(stage.number, step) else LATER


def _details(
    store: Store, config: LoopConfig, recipe: Recipe, stage: LoopStage, before: Policy | None
) -> dict[str, str]:
    """Return what each step does, in a few words; with the policy before at hand, also how much is missing."""
    where = "all prompts" if stage.number == 1 else f"minibatch {stage.minibatch} of {config.name}"
    who = "all cells" if stage.number == 1 else f"{config.base} by policy {stage.number - 1}"
    answers = f"{who} on {where}"
    if stage.number > 1 and not config.asks_base(recipe):
        answers = "none: no pool draws the base's answers"
    elif before:
        lacking = [plan_cell(store, ask).n_requests for ask in asks_of(config, recipe, stage, before)]
        answers += f"; {sum(lacking)} missing"
    judge = config.judge
    judged = "nobody judges" if judge is None else " ".join(judge.command) or f"{judge.model} by {judge.rubric}"
    drawn = (
        f"{config.recipe} in {config.minibatches} minibatches" if stage.number == 1 else f"{config.recipe} of {where}"
    )
    return {
        "answers": answers,
        "judge": judged,
        "build": f"{stage.build}: {drawn}",
        "train": f"policy {stage.number} from {_before(stage)} in {stage.folder}",
    }


def _before(stage: LoopStage) -> str:
    return "the base" if stage.number == 1 else f"policy {stage.number - 1}"
