"""Checkpoints of a stage in training: torch.distributed.checkpoint folders, whole or absent, the last two kept."""

from __future__ import annotations

import re
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import distributed
from torch.distributed.checkpoint import state_dict_loader, state_dict_saver
from torch.distributed.checkpoint.api import CheckpointException  # no Exception: it derives from BaseException
from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict

from tsotrain.errors import TrainError
from tsotrain.parallel import Processes
from tsotrain.policy import Policy

_NAME = re.compile(r"^step-(\d{8})$")
KEPT = 2


def newest(folder: Path) -> Path | None:
    """Return the newest checkpoint of a folder, or None."""
    found = [path for path in folder.glob("step-*") if _NAME.match(path.name)] if folder.is_dir() else []
    return max(found, key=lambda path: path.name, default=None)


def step_of(path: Path) -> int:
    """Return how many steps a checkpoint has behind it."""
    match = _NAME.match(path.name)
    assert match
    return int(match[1])


def save(folder: Path, step: int, policy: Policy, optimizer: torch.optim.Optimizer, ours: Processes) -> Path:
    """Write a checkpoint and return it; older ones but the last are removed once it is there.

    Raises:
        TrainError: the disk does not take it.
    """
    path = folder / f"step-{step:08d}"
    partial = folder / f".{path.name}.partial"
    if ours.is_first:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
    ours.wait()
    try:
        with _alone() as is_alone:
            state_dict_saver.save(_state(policy, optimizer), checkpoint_id=partial, no_dist=is_alone)
    except (Exception, CheckpointException) as error:
        if ours.is_first:
            shutil.rmtree(partial, ignore_errors=True)
        reason = _reason(error)
        raise TrainError(f"{path}: the checkpoint cannot be written ({reason}); make room and run it again") from error
    ours.wait()
    if ours.is_first:
        shutil.rmtree(path, ignore_errors=True)
        partial.replace(path)
        for old in sorted(folder.glob("step-*"))[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)
    ours.wait()
    return path


def _reason(error: BaseException) -> str:
    """Return what the disk said, if it is somewhere behind an error, or the error's last line."""
    waiting: list[BaseException | None] = [error]
    while waiting:
        found = waiting.pop()
        if isinstance(found, OSError) and found.strerror:
            return found.strerror
        if isinstance(found, CheckpointException):
            waiting += [failure[0] for failure in found.failures.values()]
        if found is not None:
            waiting += [found.__cause__, found.__context__]
    return str(error).strip().splitlines()[-1]


def load(path: Path, policy: Policy, optimizer: torch.optim.Optimizer) -> int:
    """Put a checkpoint into the policy and the optimizer, and return its step; any number of processes may read it.

    Raises:
        TrainError: it cannot be read.
    """
    state = _state(policy, optimizer)
    try:
        with _alone() as is_alone:
            state_dict_loader.load(state, checkpoint_id=path, no_dist=is_alone)
    except (Exception, CheckpointException) as error:
        raise TrainError(f"{path}: the checkpoint cannot be read; remove it to go on from an earlier one") from error
    set_state_dict(policy, optimizer, model_state_dict=state["policy"], optim_state_dict=state["optimizer"])
    return step_of(path)


@contextmanager
def _alone() -> Iterator[bool]:
    """Yield whether torchrun has not started this process; torch warns of that although it is told."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.distributed is disabled", UserWarning)
        yield not distributed.is_initialized()


def _state(policy: Policy, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    model_state, optimizer_state = get_state_dict(policy, optimizer)
    return {"policy": model_state, "optimizer": optimizer_state}
