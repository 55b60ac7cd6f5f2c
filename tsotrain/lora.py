"""Adapters of low rank (Hu et al. 2021), through peft: beside a policy's linear layers, in the end merged into them.

The base stays frozen, and is the stage's reference: an adapter begins as nothing, for one of its two factors is zero.
Written are the merged policy, which loads as any other, and the adapter in peft's own format beside it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from tsodata.provenance import stream_seed
from tsotrain.config import LoraConfig
from tsotrain.errors import TrainError
from tsotrain.parallel import Processes, add_whole, gathered
from tsotrain.policy import Policy, is_of_adapter
from tsotrain.saving import placed

_PEFT_PREFIX = "base_model.model."  # of a weight's name in peft's files
_NAME = "default"  # of the one adapter, in the names of its weights


def add_adapter(policy: Policy, config: LoraConfig, *, seed: int) -> None:
    """Freeze a policy, and put adapters beside its layers that are called as `targets` say; the seed draws one factor.

    Raises:
        TrainError: peft is missing, no layer is called so, or one is that cannot be adapted.
    """
    attach_adapter(policy, config)
    draw_factors(policy, seed=seed)


def attach_adapter(policy: Policy, config: LoraConfig) -> None:
    """Freeze a policy and put adapters beside its layers, all factors zero; it may be on the meta device.

    Raises:
        TrainError: as `add_adapter`.
    """
    try:
        from peft import inject_adapter_in_model
    except ImportError:
        raise TrainError("lora.rank above 0 needs peft; pip install 'tso[lora]'") from None
    names = {name.rpartition(".")[2] for name, module in policy.model.named_modules() if isinstance(module, nn.Linear)}
    names.discard("lm_head")  # scored from its weight alone, where an adapter would be passed over
    strange = [target for target in config.targets if target not in names]
    if strange:
        raise TrainError(f"lora.targets: no layer {strange[0]!r}; the policy's are {', '.join(sorted(names))}")
    with torch.random.fork_rng(devices=[]):
        inject_adapter_in_model(_peft_config(config), policy.model)
    for name, weight in policy.named_parameters():
        weight.requires_grad_(is_of_adapter(name))
        if is_of_adapter(name):
            nn.init.zeros_(weight)


def draw_factors(policy: Policy, *, seed: int) -> None:
    """Draw the first factor of each adapter, as a linear layer's weight, and have nothing dropped but by `dropping`.

    A factor depends on the seed and its name alone, so it is the same whole, whoever holds which part of it.
    """
    for layer in _dropouts(policy):
        layer.eval()
    for name, weight in policy.named_parameters():
        if ".lora_A." in name:
            generator = torch.Generator().manual_seed(stream_seed(seed, "lora", name))
            drawn = nn.init.kaiming_uniform_(torch.empty(weight.shape), a=math.sqrt(5), generator=generator)
            add_whole(weight, drawn.to(weight.device))


def _peft_config(config: LoraConfig) -> Any:
    from peft import LoraConfig as PeftConfig

    return PeftConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=list(config.targets),
        task_type="CAUSAL_LM",
    )


def _dropouts(policy: Policy) -> list[nn.Dropout]:
    """Return where adapters drop inputs; the policy's own dropout is off since it was loaded."""
    return [module for module in policy.modules() if isinstance(module, nn.Dropout) and module.p > 0]


@contextmanager
def dropping(policy: Policy, *stream: int) -> Iterator[None]:
    """Let adapters drop inputs meanwhile, drawn by a seed and what follows it: a resumed step draws the same."""
    layers = _dropouts(policy)
    if layers:
        torch.manual_seed(stream_seed(stream[0], "dropout", *stream[1:]))
    for layer in layers:
        layer.train()
    try:
        yield
    finally:
        for layer in layers:
            layer.eval()


def save_adapter(policy: Policy, config: LoraConfig, *, origin: Path, folder: Path, ours: Processes) -> None:
    """Write the adapter as peft loads it onto `origin`, whole or not at all.

    Raises:
        OSError, SafetensorError: the disk does not take it.
    """
    weights = {
        _PEFT_PREFIX + name.removeprefix("model.").replace(f".{_NAME}", ""): gathered(weight).detach().to("cpu")
        for name, weight in policy.named_parameters()
        if is_of_adapter(name)
    }
    if not ours.is_first:
        return
    described = _peft_config(config)
    described.base_model_name_or_path = str(origin)
    described.inference_mode = True
    contiguous = {name: weight.contiguous() for name, weight in weights.items()}
    with placed(folder) as partial:
        described.save_pretrained(partial)
        save_file(contiguous, partial / "adapter_model.safetensors", metadata={"format": "pt"})


@torch.no_grad()
def merge_adapter(policy: Policy) -> None:
    """Add the adapters to the weights beside which they stand, and take them away: the policy is a plain one again."""
    adapted = [(name, module) for name, module in policy.named_modules() if hasattr(module, "lora_A")]
    for name, module in adapted:
        layer: Any = module
        base = layer.get_base_layer()
        left, right = (gathered(factor[_NAME].weight) for factor in (layer.lora_B, layer.lora_A))
        add_whole(base.weight, layer.scaling[_NAME] * (left @ right))
        parent, _, last = name.rpartition(".")
        setattr(policy.get_submodule(parent), last, base)
