"""Loading a policy that is sharded over processes: each of them reads its own part of the weights and no more.

The model is made on the meta device, where weights have shapes and no bytes, and sharded there; then
torch.distributed.checkpoint reads every process's slices out of the safetensors. So no process ever holds the whole.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.distributed.checkpoint import state_dict_loader
from torch.distributed.checkpoint.api import CheckpointException  # no Exception: it derives from BaseException
from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageReader
from torch.distributed.tensor import DTensor
from transformers import AutoConfig, AutoModelForCausalLM

from tsotrain.config import ShardingConfig
from tsotrain.errors import TrainError
from tsotrain.parallel import Processes, shard
from tsotrain.policy import Policy, is_of_adapter, name_in_file, prepared


def meta_policy(shape: Any) -> Policy:
    """Return a policy of a configuration of transformers, on the meta device, in float32."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(shape, dtype=torch.float32)
    return prepared(model.eval())


def load_sharded(
    path: Path,
    ours: Processes,
    *,
    precision: torch.dtype,
    config: ShardingConfig,
    prepare: Callable[[Policy], None] = lambda _: None,
) -> Policy:
    """Return the policy of a folder, sharded over all processes, with float32 weights, dropout off.

    `prepare` may put adapters beside its layers before it is sharded, on the meta device; their weights are zeros.

    Raises:
        TrainError: the folder is missing, holds no model, or not all weights by the names that transformers gives.
    """
    try:
        shape = AutoConfig.from_pretrained(path, local_files_only=True)
        policy = meta_policy(shape)
    except (OSError, ValueError, KeyError) as error:
        raise TrainError(f"{path}: no policy there: {str(error).strip().splitlines()[0]}") from error
    prepare(policy)
    shard(policy, ours, precision=precision, config=config)
    _read_weights(policy, path, "cpu" if config.cpu_offload else ours.device)
    _make_buffers(policy, ours.device)
    return policy


def _read_weights(policy: Policy, path: Path, device: torch.device | str) -> None:
    shards = {name: _blank(weight, device) for name, weight in policy.named_parameters()}
    wanted = {name_in_file(name): weight.detach() for name, weight in shards.items() if not is_of_adapter(name)}
    try:
        state_dict_loader.load(wanted, storage_reader=HuggingFaceStorageReader(str(path)))
    except (Exception, CheckpointException) as error:
        reason = str(error).strip().splitlines()[-1]
        raise TrainError(f"{path}: the weights cannot be read ({reason}); save them with transformers once") from error
    tied = dict(policy.named_parameters(remove_duplicate=False))
    by_weight = {id(weight): name for name, weight in policy.named_parameters()}
    policy.load_state_dict({name: shards[by_weight[id(weight)]] for name, weight in tied.items()}, assign=True)


def _blank(weight: nn.Parameter, device: torch.device | str) -> nn.Parameter:
    assert isinstance(weight, DTensor)
    local = torch.zeros_like(weight.to_local(), device=device)
    made = DTensor.from_local(
        local, weight.device_mesh, weight.placements, run_check=False, shape=weight.shape, stride=weight.stride()
    )
    return nn.Parameter(made, requires_grad=weight.requires_grad)


def _make_buffers(policy: Policy, device: torch.device) -> None:
    """Compute anew what no file holds, such as the frequencies of rotary positions.

    Raises:
        TrainError: a buffer is of a module that cannot be made from the configuration alone.
    """
    for module in policy.modules():
        names = [name for name, buffer in module.named_buffers(recurse=False) if buffer.is_meta]
        if not names:
            continue
        kind: Any = type(module)
        try:
            with device:
                fresh = kind(module.config)
        except (AttributeError, TypeError) as error:
            raise TrainError(f"{kind.__name__}: its {names[0]} cannot be made anew; train on one process") from error
        for name in names:
            module.register_buffer(name, getattr(fresh, name), persistent=False)
