"""`tso-train`: stages of preference optimization on the store's pairs."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import looping, tuning
from .apps import make_app
from .exits import guarded, narrate
from .opening import open_store, print_json, recorded, require_torch, silent
from .options import AsJson, Overrides, StorePath, Wait, named_values

if TYPE_CHECKING:
    from tsodata.store import Store
    from tsotrain.config import StageConfig
    from tsotrain.parallel import Processes
    from tsotrain.stages import StagePlan

app = make_app(
    "tso-train",
    "The thin trainer: staged preference optimization on the store's pairs.",
)
app.command("judge")(tuning.judge)
app.command("sft")(tuning.sft)
app.command("loop")(looping.loop)


def main() -> None:
    """Run the app."""
    app()


@app.command()
@guarded
def stage(
    minibatch: Annotated[int, typer.Option(min=1, help="The minibatch to train on; stage K starts from policy K-1.")],
    build: Annotated[str | None, typer.Option(help="The build.", show_default="the store's only one")] = None,
    policy: Annotated[
        Path | None, typer.Option(help="The policy to start from: for stage 1 the base.", show_default="policy K-1")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Settings in TOML (docs/training.md).")] = None,
    setting: Overrides = None,
    out: Annotated[Path | None, typer.Option(help="The stage's folder.", show_default="stages/BUILD/K")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, and train nothing.")] = False,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Train policy K from policy K-1 on minibatch K, and register it; run again, it goes on where it stopped.

    Under torchrun the policy is sharded over all processes (FSDP2); the first of them alone opens the store.
    """
    require_torch()
    from tsotrain.config import load_config
    from tsotrain.parallel import processes
    from tsotrain.stages import plan_stage, run_stage

    settings = load_config(config, named_values(setting, "--set NAME=VALUE"))
    with processes() as ours, contextlib.ExitStack() as stack:
        opened = open_store(store, wait) if ours.is_first else None
        plan = plan_stage(opened, minibatch, build=build, policy=policy, out=out) if opened else None
        plan = ours.share(plan)
        assert plan
        if dry_run:
            if opened:
                _show_plan(opened, plan, settings, ours)
            return
        asked = {"build": plan.build, "minibatch": minibatch, "policy": plan.reference, "settings": settings.body()}
        run = stack.enter_context(recorded(opened, asked, seed=settings.seed)) if opened else None
        say = narrate if ours.is_first else silent
        report = run_stage(opened, plan, config=settings, ours=ours, run=run, say=say)
        if ours.is_first and as_json:
            print_json(asdict(report))
        elif ours.is_first:
            learnt = f"{report.n_steps} steps on {report.n_examples} {report.learnt_from}"
            print(f"{report.stage_id}: policy {report.policy}, {learnt}")


def _show_plan(store: Store, plan: StagePlan, settings: StageConfig, ours: Processes) -> None:
    import torch

    from tsotrain.estimate import estimate_stage
    from tsotrain.stages import preview_stage
    from tsotrain.training import precision_of

    found = preview_stage(store, plan, settings)
    in_bf16, on_cpu = precision_of(settings, ours.device) == torch.bfloat16, ours.device.type == "cpu"
    size = estimate_stage(plan.reference, found, settings, n_ranks=ours.n_ranks, on_cpu=on_cpu, in_bf16=in_bf16)
    sizes = {f"n_{found.noun}" if name == "n_pairs" else name: value for name, value in asdict(size).items()}
    print_json({**asdict(plan), **sizes, "total_bytes": size.total_bytes, found.noun: found.describe()})


@app.command()
@guarded
def curves(
    stages: Annotated[list[Path], typer.Argument(metavar="STAGE", help="The folders of stages, in their order.")],
    out: Annotated[Path, typer.Option(help="Where to write OUT.png and OUT.svg.")] = Path("curves"),
) -> None:
    """Draw rewards of both sides, margin, gradient scale and learning rate over the steps of stages."""
    require_torch()
    from tsotrain.curves import draw_curves

    print(*draw_curves(stages, out), sep="\n")
