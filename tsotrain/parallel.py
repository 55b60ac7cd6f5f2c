"""One process or many: FSDP2 under torchrun, and the few collectives that a stage needs.

Every rank knows all examples and works out the same plan, so no plan is ever sent. Gradients are summed over ranks, and
the loss is a sum over the pairs of the whole step divided by their number: no world size appears anywhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import (
    CPUOffloadPolicy,
    FSDPModule,
    MixedPrecisionPolicy,
    OffloadPolicy,
    fully_shard,
    register_fsdp_forward_method,
)
from torch.distributed.tensor import DTensor, distribute_tensor

from tsotrain.batching import Example, micro_batches, spread
from tsotrain.config import ShardingConfig
from tsotrain.policy import Policy

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among those of the stage."""

    rank: int
    n_ranks: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Say whether this process speaks and writes for all."""
        return self.rank == 0

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the sum of a tensor over all processes."""
        if self.n_ranks > 1:
            distributed.all_reduce(tensor)
        return tensor

    def any(self, *, flag: bool) -> bool:
        """Say whether a flag is set in any process."""
        return bool(self.sum(torch.tensor(float(flag), device=self.device)) > 0)

    def share(self, value: T) -> T:
        """Return the first process's value in every process."""
        held = [value]
        if self.n_ranks > 1:
            distributed.broadcast_object_list(held, src=0)
        return held[0]

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.n_ranks > 1:
            distributed.barrier()


@contextmanager
def processes() -> Iterator[Processes]:
    """Join the processes that torchrun started, or stand alone."""
    n_ranks = int(os.environ.get("WORLD_SIZE", "1"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    device = torch.device("cuda", local) if torch.cuda.is_available() else torch.device("cpu")
    if device.type == "cuda":
        torch.cuda.set_device(device)
    if n_ranks == 1 and not distributed.is_torchelastic_launched():
        yield Processes(0, 1, device)
        return
    # gloo beside nccl: what is offloaded to the CPU is clipped there
    distributed.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    try:
        ours = Processes(distributed.get_rank(), n_ranks, device)
        yield ours
        ours.wait()  # who leaves while another still talks to it ends it with an abort
    finally:
        distributed.destroy_process_group()


def shard(policy: Policy, ours: Processes, *, precision: torch.dtype, config: ShardingConfig) -> Policy:
    """Shard a policy over all processes, layer by layer, in place, and return it. Its weights may be on meta.

    Layers compute in `precision`; the shards, and what the optimizer sees of them, stay in float32.
    """
    mesh = init_device_mesh(ours.device.type, (ours.n_ranks,))
    reduced = torch.bfloat16 if config.reduce_precision == "bf16" else torch.float32
    offload = CPUOffloadPolicy(pin_memory=ours.device.type == "cuda") if config.cpu_offload else OffloadPolicy()
    options: dict[str, Any] = {
        "mesh": mesh,
        "mp_policy": MixedPrecisionPolicy(param_dtype=precision, reduce_dtype=reduced),
        "offload_policy": offload,
    }
    for layer in decoder_layers(policy.model):
        fully_shard(layer, reshard_after_forward=config.reshard_after_forward, **options)
    fully_shard(policy, **options)
    register_fsdp_forward_method(policy, "plain_logprobs")
    for module in policy.modules():
        if isinstance(module, FSDPModule):
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)
    return policy


def decoder_layers(model: nn.Module) -> list[nn.Module]:
    """Return the decoder layers: the longest list of modules in the model."""
    lists: list[list[nn.Module]] = [list(module) for module in model.modules() if isinstance(module, nn.ModuleList)]
    return max(lists, key=len)


def sync_gradients(policy: Policy, *, now: bool) -> None:
    """Have the next backward pass sum gradients over processes, or leave that to a later one."""
    if isinstance(policy, FSDPModule):
        policy.set_requires_gradient_sync(now)


def reshard(policy: Policy) -> None:
    """Let go of the gathered weights: FSDP2 keeps the root's after a forward pass without a backward one.

    Those of the layers too, without `reshard_after_forward`. An optimizer made while they are there would hold, and
    step, the wrong tensors.
    """
    for module in policy.modules():
        if isinstance(module, FSDPModule):
            module.reshard()


def gathered(weight: Tensor) -> Tensor:
    """Return a weight whole; all processes have to ask for it."""
    return weight.full_tensor() if isinstance(weight, DTensor) else weight


@torch.no_grad()
def add_whole(weight: Tensor, whole: Tensor) -> None:
    """Add a tensor that every process has whole to a weight, of which each may hold a part."""
    if not isinstance(weight, DTensor):
        weight.add_(whole)
        return
    part = distribute_tensor(whole, weight.device_mesh, weight.placements, src_data_rank=None)  # nothing is sent
    weight.to_local().add_(part.to_local().to(weight.to_local().device))


@dataclass(frozen=True, slots=True)
class Share:
    """One process's part of a step: micro-batches, as many as every other process has; an empty one is for company."""

    micro_batches: tuple[tuple[Example, ...], ...]


def deal(examples: Sequence[Example], n_ranks: int, max_tokens: int) -> list[Share]:
    """Return each process's part of a step, about as many tokens for each."""
    hands = spread(examples, n_ranks)
    dealt = [[tuple(group) for group in micro_batches(hand, max_tokens)] for hand in hands]
    most = max(len(groups) for groups in dealt)
    return [Share((*groups, *(() for _ in range(most - len(groups))))) for groups in dealt]
