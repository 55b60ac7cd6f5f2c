"""`tso-train loop`: the stages of self-training, one after the other."""

from __future__ import annotations

import contextlib
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .exits import guarded, narrate
from .legible import say
from .opening import open_store, plain, print_json, recorded, require_torch
from .options import AsJson, Overrides, StorePath, Wait, named_values
from .progress import Teller

if TYPE_CHECKING:
    from tsotrain.loop_plans import LoopPlan
    from tsotrain.loops import LoopReport

_OF_LOOP = "loop."


@guarded
def loop(
    config: Annotated[Path, typer.Option(help="Settings of the loop and its stages (docs/loop.md).")] = Path(
        "tso.toml"
    ),
    setting: Overrides = None,
    from_: Annotated[
        tuple[str, int] | None,
        typer.Option("--from", metavar="STEP N", help="Begin there: stage 2, or answers, judge, build, train 2."),
    ] = None,
    until: Annotated[
        tuple[str, int] | None, typer.Option(metavar="STEP N", help="End there, that step included.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, and ask and train nothing.")] = False,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Run stage after stage: ask the policy before, judge, build, train; run again, it goes on where it stopped.

    Nothing that is done is done again, and a loop that was killed ends with the policies of an undisturbed one.
    """
    require_torch()
    from tsotrain.config import load_config
    from tsotrain.loop_config import load_loop
    from tsotrain.loop_plans import Span, plan_loop
    from tsotrain.loop_stages import Loop
    from tsotrain.loops import LoopRun, run_loop

    given = named_values(setting, "--set NAME=VALUE")
    settings, stage_settings = load_loop(config, given), load_config(config, given)
    of_settings, span = Loop.of(settings), Span.of(settings, from_, until)
    of_settings.check_loss(stage_settings.loss)
    opened = open_store(store, wait)
    plan = plan_loop(opened, of_settings, span)
    if dry_run:
        _print_plan(plan, as_json=as_json)
        return
    for line in plan_lines(plan):
        narrate(line)
    asked: dict[str, object] = {"loop": plain(settings), "stage": stage_settings.body(), "span": plain(span)}
    teller = Teller()
    with recorded(opened, asked, seed=settings.seed) as run, contextlib.closing(teller):
        command = (*_program(), "stage", "--config", str(config), *_overrides(given), "--store", str(opened.path))
        waiting = ("--wait", str(wait)) if wait is not None else ()
        report = run_loop(LoopRun(opened, of_settings, run, (*command, *waiting), narrate, teller), span)
    _print_report(report, as_json=as_json)


def _program() -> tuple[str, ...]:
    """Return what starts `tso-train`, for this interpreter."""
    script = Path(sysconfig.get_path("scripts")) / "tso-train"
    return (str(script),) if script.exists() else (sys.executable, "-c", "from tsocli.entry import train; train()")


def _overrides(given: dict[str, str]) -> Iterator[str]:
    """Yield the settings of the command line that are a stage's."""
    for name, value in given.items():
        if not name.startswith(_OF_LOOP):
            yield from ("--set", f"{name}={value}")


def plan_lines(plan: LoopPlan) -> Iterator[str]:
    """Yield a plan for people: a line a stage and step."""
    yield f"{plan.name}: {plan.n_stages} stages around {plan.base}, {plan.n_done} of them done"
    for stage in plan.stages:
        of_pass = f" (pass {stage.in_pass})" if plan.stages[-1].in_pass > 1 else ""
        done = f": {stage.policy}" if stage.policy else ""
        yield f"stage {stage.stage}{of_pass}, minibatch {stage.minibatch}{done}"
        if not stage.policy:
            for step in stage.steps:
                yield f"  {step.state:5} {step.step:8} {step.detail}"


def _print_plan(plan: LoopPlan, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(plan))
    else:
        say(plan_lines(plan))


def _print_report(report: LoopReport, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(report))
        return
    say(f"stage {done.stage}: policy {done.policy} {done.policy_sha256[:12]} in {done.path}" for done in report.stages)
    left = report.n_stages - len(report.stages)
    narrate(
        f"{report.name}: {len(report.stages)} of {report.n_stages} stages are done"
        + (", the same command goes on" if left else "")
    )
