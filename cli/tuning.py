"""Supervised tuning on chat records: `judge` makes a judge, `sft` a policy; they differ in what the store is told."""

from __future__ import annotations

import contextlib
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .exits import guarded, narrate
from .opening import open_store, print_json, recorded, require_torch, silent
from .options import AsJson, Overrides, StorePath, Wait, named_values

if TYPE_CHECKING:
    from tsodata.store import Store
    from tsotrain.config import TuneConfig
    from tsotrain.judges import TunePlan
    from tsotrain.parallel import Processes

Records = Annotated[
    Path,
    typer.Option(help="Messages as JSON lines or Parquet: a file, or an export's folder."),
]
Origin = Annotated[
    Path | None, typer.Option("--policy", help="The model to tune.", show_default="the store's only base")
]
Settings = Annotated[Path | None, typer.Option("--config", help="Settings in TOML (docs/training.md).")]
Name = Annotated[str | None, typer.Option(help="The model's name in the store.", show_default="the records' name")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan, and train nothing.")]


@guarded
def judge(
    records: Records,
    policy: Origin = None,
    name: Name = None,
    config: Settings = None,
    setting: Overrides = None,
    out: Annotated[Path | None, typer.Option(help="The judge's folder.", show_default="judges/NAME")] = None,
    dry_run: DryRun = False,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Tune the judge on records of corrected scores; run again, it goes on where it stopped.

    The records are those of tso-data export-judge-sft; only the assistant's last turn is learnt. Where there is a
    store, the judge is registered in it; the training itself needs none.
    """
    asked = {"records": records, "kind": "judge", "name": name, "policy": policy, "out": out}
    _tune(asked, store, wait, config=config, setting=setting, dry_run=dry_run, as_json=as_json)


@guarded
def sft(
    records: Records,
    policy: Origin = None,
    name: Name = None,
    config: Settings = None,
    setting: Overrides = None,
    out: Annotated[Path | None, typer.Option(help="The policy's folder.", show_default="policies/NAME")] = None,
    dry_run: DryRun = False,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Tune a policy on answers, as RAFT and ReST do; run again, it goes on where it stopped.

    The records are those of tso-data export --to sft; only the assistant's last turn is learnt. Where there is a
    store, the policy is registered in it; the training itself needs none.
    """
    asked = {"records": records, "kind": "policy", "name": name, "policy": policy, "out": out}
    _tune(asked, store, wait, config=config, setting=setting, dry_run=dry_run, as_json=as_json)


def _tune(
    asked: dict[str, object],
    store: Path | None,
    wait: float | None,
    *,
    config: Path | None,
    setting: list[str] | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    require_torch()
    from tsotrain.config import load_tune_config
    from tsotrain.judges import plan_tuning, run_tuning
    from tsotrain.parallel import processes

    settings = load_tune_config(config, named_values(setting, "--set NAME=VALUE"))
    with processes() as ours, contextlib.ExitStack() as stack:
        opened = _store_at_hand(store, wait) if ours.is_first else None
        plan = ours.share(plan_tuning(opened, **asked) if ours.is_first else None)  # type: ignore[arg-type]
        assert plan
        if dry_run:
            if ours.is_first:
                _show_plan(plan, settings, ours)
            return
        described = {"records": asked["records"], "records_sha256": plan.records_sha256, "policy": plan.origin}
        described |= {"kind": plan.kind, "name": plan.name, "settings": settings.body()}
        run = stack.enter_context(recorded(opened, described, seed=settings.seed)) if opened else None
        say = narrate if ours.is_first else silent
        report = run_tuning(opened, plan, config=settings, ours=ours, run=run, say=say)
        if ours.is_first and as_json:
            print_json(asdict(report))
        elif ours.is_first:
            where = report.artefact_id or "no store here, so it is not registered"
            print(f"{plan.kind} {report.model}, {report.n_steps} steps on {report.n_records} records ({where})")


def _store_at_hand(path: Path | None, wait: float | None) -> Store | None:
    """Return the store that is named, or the one that lies here, or none."""
    from tsodata.store import DEFAULT_PATH

    if path is None and "TSO_STORE" not in os.environ and not Path(DEFAULT_PATH).exists():
        return None
    return open_store(path, wait)


def _show_plan(plan: TunePlan, settings: TuneConfig, ours: Processes) -> None:
    import torch

    from tsotrain.estimate import estimate_stage
    from tsotrain.training import precision_of

    found = plan.read(settings)
    in_bf16, on_cpu = precision_of(settings, ours.device) == torch.bfloat16, ours.device.type == "cpu"
    size = estimate_stage(plan.origin, found, settings, n_ranks=ours.n_ranks, on_cpu=on_cpu, in_bf16=in_bf16)
    sizes = {"n_records": len(found.examples), "n_held_out": len(found.held_out), **asdict(size)}
    del sizes["n_pairs"]
    print_json({**asdict(plan), **sizes, "total_bytes": size.total_bytes, "rows": found.describe()})
