"""Writing a trained policy as what transformers loads: safetensors in shards, beside the files of the one it came from.

Weights are gathered one at a time, and no process holds more than one shard. They are kept in float32: the next stage
goes on from them, and steps this small would be lost in bfloat16.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from tsodata.errors import ExportRefusedError
from tsodata.placing import placed_whole, restore
from tsotrain.errors import TrainError
from tsotrain.parallel import Processes, gathered
from tsotrain.policy import Policy

SHARD_BYTES = 5_000_000_000
_WEIGHTS = (".safetensors", ".bin", ".pt", ".index.json")


def save_policy(policy: Policy, origin: Path, folder: Path, ours: Processes, *, shard_bytes: int = SHARD_BYTES) -> None:
    """Write a policy to a folder, whole or not at all; configuration and tokenizer are those of `origin`.

    Raises:
        TrainError: the disk does not take it.
    """
    try:
        with contextlib.ExitStack() as place:
            partial = place.enter_context(placed(folder)) if ours.is_first else None
            if partial:
                _copy_others(origin, partial)
            _write_weights(policy, partial, shard_bytes)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise TrainError(f"{folder}: the policy cannot be written ({reason}); make room and run it again") from error
    ours.wait()


@contextmanager
def placed(folder: Path) -> Iterator[Path]:
    """Yield an empty directory that takes a folder's place at the end; what a kill has moved aside comes back first.

    Raises:
        TrainError: another process is writing there.
        OSError: the disk refuses.
    """
    restore(folder)
    try:
        with placed_whole(folder, replacing=folder.exists()) as partial:
            yield partial
    except ExportRefusedError as error:
        raise TrainError(str(error)) from error


def _copy_others(origin: Path, folder: Path) -> None:
    for file in sorted(origin.iterdir()):
        if file.is_file() and not file.name.startswith(".") and not file.name.endswith(_WEIGHTS):
            shutil.copyfile(file, folder / file.name)
    config = json.loads((origin / "config.json").read_text(encoding="utf-8"))
    config.pop("torch_dtype", None)
    text = json.dumps({**config, "dtype": "float32"}, indent=2, sort_keys=True)
    (folder / "config.json").write_text(f"{text}\n", encoding="utf-8")


def _shards(policy: Policy, shard_bytes: int) -> list[list[tuple[str, Tensor]]]:
    """Return the weights by shard, under the names that transformers gives them; tied ones once."""
    shards: list[list[tuple[str, Tensor]]] = [[]]
    n_bytes = 0
    for name, weight in policy.named_parameters():
        size = 4 * weight.numel()
        if shards[-1] and n_bytes + size > shard_bytes:
            shards.append([])
            n_bytes = 0
        shards[-1].append((name.removeprefix("model."), weight))
        n_bytes += size
    return shards


@torch.no_grad()
def _gathered(weights: list[tuple[str, Tensor]]) -> Iterator[tuple[str, Tensor]]:
    for name, weight in weights:
        yield name, gathered(weight).detach().to("cpu", torch.float32).contiguous()


def _write_weights(policy: Policy, folder: Path | None, shard_bytes: int) -> None:
    """Write the weights; without a folder, take part in gathering them for the process that has one."""
    shards = _shards(policy, shard_bytes)
    home: dict[str, str] = {}
    for number, weights in enumerate(shards, 1):
        file = "model.safetensors" if len(shards) == 1 else f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        tensors = {name: tensor for name, tensor in _gathered(weights) if folder}
        home.update(dict.fromkeys(tensors, file))
        if folder:
            save_file(tensors, folder / file, metadata={"format": "pt"})
    if folder and len(shards) > 1:
        total = sum(4 * weight.numel() for weights in shards for _, weight in weights)
        index = {"metadata": {"total_size": total}, "weight_map": home}
        (folder / "model.safetensors.index.json").write_text(f"{json.dumps(index, indent=2)}\n", encoding="utf-8")
