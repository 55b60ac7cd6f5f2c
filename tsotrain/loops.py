"""The self-training loop: answers, judge, build, train, stage after stage, each from the policy before (Sec. 3.3).

Every step is a function of what the store holds and is committed whole, so a loop may be killed anywhere: run again,
it looks up what is there and goes on. A stage trains in processes of its own, by the command of whoever runs the loop.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tsodata.builds import build_pairs
from tsodata.engines.choosing import check_options, make_engine, usual_engine
from tsodata.engines.options import EngineOptions
from tsodata.errors import DataError, ParkedError, UsageError
from tsodata.generating import StoreShelf, fill_cells, plan_cell
from tsodata.judging import Choice, Task, judge, make_task, plan_judging
from tsodata.judging import StoreShelf as JudgementShelf
from tsodata.provenance import Run
from tsodata.recipes import Recipe
from tsodata.runner import Ending, Progress, Sums, raise_ending
from tsodata.store import Store
from tsotrain.errors import DivergedError, TrainError
from tsotrain.launching import held, run_command
from tsotrain.loop_config import JudgeConfig, LoopConfig
from tsotrain.loop_plans import Span, check_start
from tsotrain.loop_stages import Loop, LoopStage, Policy, check_folder, find_policy, start_policy

Say = Callable[[str], None]
Tell = Callable[[str, Progress], None]
_DIVERGED, _INTERRUPTED = 4, 130  # exit codes of a stage


@dataclass(frozen=True, slots=True)
class LoopRun:
    """One run of a loop: where it keeps things, how it speaks, and how a stage is started.

    `stage_command` is what runs `tso-train stage` with the loop's settings: it gets what tells the stage behind it.
    """

    store: Store
    loop: Loop
    run: Run
    stage_command: tuple[str, ...]
    say: Say
    tell: Tell = lambda _what, _progress: None

    @property
    def config(self) -> LoopConfig:
        """Return the settings."""
        return self.loop.config


@dataclass(frozen=True, slots=True)
class StageDone:
    """A stage whose policy is registered."""

    stage: int
    build: str
    policy: str | None
    path: str
    policy_sha256: str


@dataclass(slots=True)
class LoopReport:
    """What a loop has come to: the stages that are done, those of earlier runs too."""

    name: str
    n_stages: int
    stages: list[StageDone] = field(default_factory=list)


def run_loop(ours: LoopRun, span: Span) -> LoopReport:
    """Run the steps of a span that are not done yet, and return what the loop has come to.

    Raises:
        UsageError, DataError: settings, material or a model cannot be used as asked.
        ParkedError: an endpoint wants to be left alone, or a budget is used up.
        DivergedError: a stage has diverged.
        KeyboardInterrupt: somebody stopped it.
    """
    config, before = ours.config, start_policy(ours.config)
    report = LoopReport(config.name, config.n_stages)
    with held(config.root, say=ours.say) as lock:
        for stage in ours.loop.stages:
            with ours.store.reader() as reader:
                policy = find_policy(reader, stage)
            if policy is None and stage.number > span.end.stage:
                break
            recipe = ours.loop.recipe_of(stage, before)
            at = _At(stage, before, recipe, _is_built(ours.store, stage, recipe), lock)
            if policy is None:
                check_start(config, span, stage.number - 1)
                check_folder(before.path, at.say("the policy before"))
                policy = _run_stage(ours, at, span)
            if policy is None:
                break
            before = policy
            done = StageDone(stage.number, stage.build, policy.policy_id, str(policy.path), policy.sha256)
            report.stages.append(done)
    return report


@dataclass(frozen=True, slots=True)
class _At:
    """Where a loop is: the stage, the policy before it, its build's recipe, whether that is there, and the lock."""

    stage: LoopStage
    before: Policy
    recipe: Recipe
    is_built: bool
    lock: int

    def say(self, what: str) -> str:
        """Return a line that names the stage."""
        return f"stage {self.stage.number}: {what}"


def _run_stage(ours: LoopRun, at: _At, span: Span) -> Policy | None:
    """Run the steps of one stage, and return its policy, or None where the span ends before that."""
    number = at.stage.number
    if not at.is_built:
        if span.holds(number, "answers"):
            _fill(ours, at)
        if span.holds(number, "judge"):
            _judge(ours, at)
        if not span.holds(number, "build"):
            return None
        _build(ours, at)
    return _train(ours, at) if span.holds(number, "train") else None


def _is_built(store: Store, stage: LoopStage, recipe: Recipe) -> bool:
    """Return whether the stage's build is there.

    Raises:
        UsageError: a build of its name was drawn by another recipe.
    """
    with store.reader() as reader:
        found = reader.rows("builds/by_name", name=stage.build)
    if not found:
        return False
    _, _, seed, *_, body = found[0]
    if (int(seed), str(body)) != (recipe.seed, recipe.body()):
        raise UsageError(
            f"build {stage.build!r} is there, drawn by another recipe, seed or policy; give the loop another name"
        )
    return True


# answers --------------------------------------------------------------------------------------------------------------


def _fill(ours: LoopRun, at: _At) -> None:
    asks = ours.loop.asks_of(at.stage, at.before)
    lacking = {ask.source.label: plan_cell(ours.store, ask).n_requests for ask in asks}
    asks = [ask for ask in asks if lacking[ask.source.label]]
    ours.say(at.say(f"{sum(lacking.values())} answers are missing"))
    for ask in asks:
        check_options(ask.engine, ask.options)
    if ours.config.answers.serve and lacking.get(ours.config.base):
        _run(ours, at, ours.config.answers.serve, what="loop.answers.serve")
    reports = fill_cells(
        ours.store, asks, StoreShelf(ours.store, ours.run), limits=ours.config.answers.limits, tell=ours.tell
    )
    for report in reports:
        what = at.say(f"answers of {report.cell}")
        for reason, n in sorted(report.skipped.items()):
            ours.say(f"{what}: {n} prompts skipped: {reason}")
        _check_sums(ours, report.sums, what)


def _check_sums(ours: LoopRun, sums: Sums, what: str) -> None:
    """Refuse to go on where too much is missing.

    Raises:
        ParkedError: the endpoint wants to be left alone, or the budget is used up.
        DataError: more requests failed than may.
    """
    raise_ending(sums)
    if sums.ending is Ending.BUDGET:
        raise ParkedError(f"{what}: {sums.detail}; what was answered is kept, and the same command goes on")
    n_ended = sums.n_done + sums.n_failed
    if sums.n_failed > ours.config.max_failed * n_ended:
        raise DataError(
            f"{what}: {sums.n_failed} of {n_ended} requests failed ({dict(sums.failures)}); v_calls has each with its "
            "reason, the same command asks them again, and loop.max_failed says how large a share may fail"
        )
    if n_ended:
        ours.say(f"{what}: {sums.n_done} done, {sums.n_failed} failed")


# judge ----------------------------------------------------------------------------------------------------------------


def _judge(ours: LoopRun, at: _At) -> None:
    config = ours.config.judge
    if config is None or not (at.stage.is_first or ours.loop.asks_base):
        return
    if config.command:
        _run(ours, at, config.command, what="loop.judge.command")
        return
    name, options = _judge_options(config)
    check_options(name, options)
    task = _task(ours, config, at)
    missing = plan_judging(ours.store, task).n_missing
    ours.say(at.say(f"{missing} judgements are missing"))
    if missing:
        engine = make_engine(name, str(config.model), options)
        report = judge(
            ours.store,
            task,
            engine,
            shelf=JudgementShelf(ours.store, ours.run),
            limits=config.limits,
            tell=lambda progress: ours.tell(task.judge, progress),
        )
        if report.sums:
            _check_sums(ours, report.sums, at.say(f"judgements of {task.judge}"))


def _judge_options(config: JudgeConfig) -> tuple[str, EngineOptions]:
    """Return the judge's engine, and how to reach it."""
    options = EngineOptions(
        endpoint=config.endpoint,
        key_env=config.key_env,
        concurrency=config.concurrency,
        timeout_s=config.timeout,
        revision=config.revision,
        settings={name: str(value) for name, value in config.settings.items()},
    )
    return config.engine or usual_engine(str(config.model), config.endpoint), options


def _task(ours: LoopRun, config: JudgeConfig, at: _At) -> Task:
    asked = tuple(ask.source.label for ask in ours.loop.asks_of(at.stage, at.before))
    cells = (at.stage.is_first and config.cells) or asked
    return make_task(
        str(config.rubric),
        judge=config.name or str(config.model),
        dimensions=config.dimensions,
        n_samples=config.samples,
        is_greedy=config.greedy,
        seed=config.seed,
        show_references=config.reference,
        choice=Choice(sources=cells, dataset=ours.config.dataset),
    )


# build and train ------------------------------------------------------------------------------------------------------


def _build(ours: LoopRun, at: _At) -> None:
    made = build_pairs(
        ours.store,
        at.stage.build,
        base=ours.config.base,
        recipe=at.recipe,
        run=ours.run,
        versions=ours.config.versions or None,
        allow_short=ours.config.allow_short,
    )
    holds = f"{made.n_responses} answers" if made.n_responses else f"{made.n_pairs} pairs"
    ours.say(at.say(f"build {at.stage.build} has {holds}"))


def _train(ours: LoopRun, at: _At) -> Policy:
    stage = at.stage
    words = ["--build", stage.build, "--minibatch", "1", "--policy", str(at.before.path), "--out", str(stage.folder)]
    ours.say(at.say("training"))
    code = _run_words(ours, at, [*ours.config.launcher, *ours.stage_command, *words], what="loop.launcher")
    with ours.store.reader() as reader:
        policy = find_policy(reader, stage)
    if code == 0 and policy:
        return policy
    if code == _DIVERGED:
        raise DivergedError(f"stage {stage.number} has diverged, as it said above; {stage.folder} has its checkpoints")
    if code == _INTERRUPTED:
        raise KeyboardInterrupt
    told = f"ended with exit code {code}" if code else "registered no policy in this store"
    raise TrainError(f"stage {stage.number} {told}; what it said stands above, and running the loop again goes on")


# commands -------------------------------------------------------------------------------------------------------------


def _run(ours: LoopRun, at: _At, command: Sequence[str], *, what: str) -> None:
    """Run a command of the settings, its places filled in.

    Raises:
        DataError: it cannot be run, or failed.
    """
    is_first = at.stage.is_first
    values = {
        "store": str(ours.store.path),
        "stage": str(at.stage.number),
        "build": "" if is_first else ours.config.name,
        "minibatch": "" if is_first else str(at.stage.minibatch),
        "dataset": ours.config.dataset or "",
        "base": ours.config.base,
        "policy": str(at.before.path),
        "revision": at.before.sha256,
    }
    words = [_filled(word, values) for word in command]
    ours.say(at.say(" ".join(words)))
    code = _run_words(ours, at, words, what=what)
    if code:
        raise DataError(f"{what} ended with exit code {code} in stage {at.stage.number}; what it said stands above")


def _run_words(ours: LoopRun, at: _At, words: Sequence[str], *, what: str) -> int:
    if shutil.which(words[0]) is None:
        raise UsageError(f"{what}: no program {words[0]!r}")
    return run_command(words, holding=at.lock, env={"TSO_STORE": str(ours.store.path)})


def _filled(word: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        word = word.replace(f"{{{name}}}", value)
    return word
