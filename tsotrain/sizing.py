"""What large policies take: the table of docs/scale.md, `python -m tsotrain.sizing`.

Memory is by the formulas of `estimate`. Speed is no measurement but an assumption: a share of the device's peak.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from tsotrain.batching import DEVICE_TOKENS
from tsotrain.config import ShardingConfig, StageConfig
from tsotrain.estimate import Estimate, count_parameters, estimate_shape

DEVICE_BYTES = 80_000_000_000
USABLE = 0.8  # ours: the rest is the runtime's, the collectives' and fragments
DEVICES_PER_NODE = 8
PEAK_FLOP_PER_S = 989e12  # H100 SXM, dense bf16, by its data sheet
MFU = 0.35  # ours, assumed: what FSDP trainers of this size commonly report; nothing was measured
SHAPES: dict[str, dict[str, Any]] = {
    "7B": {"hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32},
    "66B": {"hidden_size": 8192, "intermediate_size": 22016, "num_hidden_layers": 80, "num_attention_heads": 64},
    "175B": {"hidden_size": 12288, "intermediate_size": 32768, "num_hidden_layers": 96, "num_attention_heads": 96},
}
VOCABULARY = 32_000
GB = 1e9


def shape(name: str) -> dict[str, Any]:
    """Return one of the shapes, as config.json has it."""
    return {**SHAPES[name], "vocab_size": VOCABULARY}


def settings(*, cpu_offload: bool = False) -> StageConfig:
    """Return the settings of the table: the defaults, with activation checkpointing."""
    return StageConfig(gradient_checkpointing=True, sharding=ShardingConfig(cpu_offload=cpu_offload))


def size(name: str, n_ranks: int, *, cpu_offload: bool = False) -> Estimate:
    """Return the size of one of the paper's stages, 10,000 pairs of 1,000 tokens a response with its prompt."""
    config = settings(cpu_offload=cpu_offload)
    n_pairs = 10_000
    return estimate_shape(
        shape(name),
        config,
        n_pairs=n_pairs,
        n_tokens=n_pairs * 2000 * config.epochs,
        widest=DEVICE_TOKENS,
        n_ranks=n_ranks,
        in_bf16=True,
    )


def fewest_nodes(name: str, *, cpu_offload: bool = False) -> int:
    """Return the fewest nodes, a power of two, whose devices hold a stage of a shape."""
    nodes = 1
    while size(name, nodes * DEVICES_PER_NODE, cpu_offload=cpu_offload).total_bytes > USABLE * DEVICE_BYTES:
        nodes *= 2
    return nodes


def tokens_per_s(name: str, n_ranks: int) -> float:
    """Return the expected tokens a second: 6 FLOP a parameter and token, at the assumed share of the peak."""
    return MFU * PEAK_FLOP_PER_S * n_ranks / (6 * count_parameters(shape(name)).total)


def table() -> Iterator[str]:
    """Yield the lines of the table."""
    heads = ["shape", "parameters", "nodes x GPUs", "state", "gathered", "activations", "head"]
    yield f"| {' | '.join([*heads, 'GB a GPU', 'GB a node, CPU', 'tokens/s'])} |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    for name in SHAPES:
        for cpu_offload in (False, True):
            nodes = fewest_nodes(name, cpu_offload=cpu_offload)
            n_ranks = nodes * DEVICES_PER_NODE
            found = size(name, n_ranks, cpu_offload=cpu_offload)
            sizes = [found.state_bytes, found.gathered_bytes, found.activation_bytes, found.head_bytes]
            sizes += [found.total_bytes, found.state_bytes * DEVICES_PER_NODE if cpu_offload else 0]
            cells = [name + (", offloaded" if cpu_offload else ""), f"{found.n_parameters / 1e9:.1f} B"]
            cells += [f"{nodes} x {DEVICES_PER_NODE}", *(f"{n_bytes / GB:.1f}" for n_bytes in sizes)]
            cells += ["" if cpu_offload else f"{tokens_per_s(name, n_ranks):,.0f}"]
            yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write("\n".join(table()) + "\n")
