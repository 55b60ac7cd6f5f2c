"""What a stage will take: steps, tokens, and memory by formula, before anything is loaded.

Weights are kept in float32 with their gradient and AdamW's two moments: 16 bytes a parameter, divided among the
processes, in the memory of the CPU where they are offloaded. On top come what FSDP2 gathers, the activations of one
micro-batch (Korthikanti et al. 2022, Eq. 2: 34 bytes a token, layer and hidden unit at 2 bytes a number), the shares of
attention where they are kept, which is on a CPU, and the head's buffers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tsotrain.attention import MOST_KEYS
from tsotrain.batching import micro_tokens
from tsotrain.config import LoraConfig, TrainConfig
from tsotrain.errors import TrainError
from tsotrain.logprobs import CHUNK_STATES
from tsotrain.tokens import Tokenized

STATE_BYTES = 16  # a parameter's weight, gradient and two moments in float32
ACTIVATION_BYTES = 34  # a token's, per layer and hidden unit, at 2 bytes a number


@dataclass(frozen=True, slots=True)
class Estimate:
    """The size of a stage. Bytes are those of one process."""

    n_pairs: int
    n_tokens: int
    n_steps: int
    n_parameters: int
    state_bytes: int
    gathered_bytes: int
    activation_bytes: int
    head_bytes: int
    is_offloaded: bool

    @property
    def total_bytes(self) -> int:
        """Return the memory of one process on its device."""
        state_bytes = 0 if self.is_offloaded else self.state_bytes
        return state_bytes + self.gathered_bytes + self.activation_bytes + self.head_bytes


class Parameters(NamedTuple):
    """The parameters of a Llama shape: of one decoder layer, and of what is beside the layers."""

    layer: int
    root: int
    n_layers: int

    @property
    def total(self) -> int:
        """Return all of them."""
        return self.n_layers * self.layer + self.root

    @property
    def body_share(self) -> float:
        """Return the share of them that is in the layers."""
        return self.n_layers * self.layer / self.total


def count_parameters(config: Mapping[str, Any]) -> Parameters:
    """Return the parameters of a Llama-shaped model from its config.json."""
    hidden, layers = config["hidden_size"], config["num_hidden_layers"]
    head = config.get("head_dim") or hidden // config["num_attention_heads"]
    queries = config["num_attention_heads"] * head
    keys = (config.get("num_key_value_heads") or config["num_attention_heads"]) * head
    attention = 2 * hidden * queries + 2 * hidden * keys
    layer = attention + 3 * hidden * config["intermediate_size"] + 2 * hidden
    embeddings = config["vocab_size"] * hidden * (1 if config.get("tie_word_embeddings") else 2)
    return Parameters(layer, embeddings + hidden, layers)


def count_adapter(config: Mapping[str, Any], lora: LoraConfig) -> int:
    """Return the parameters of an adapter of a Llama-shaped model: two factors beside each layer that is adapted."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    head = config.get("head_dim") or hidden // config["num_attention_heads"]
    queries = config["num_attention_heads"] * head
    keys = (config.get("num_key_value_heads") or config["num_attention_heads"]) * head
    widths = {"q_proj": hidden + queries, "k_proj": hidden + keys, "v_proj": hidden + keys, "o_proj": queries + hidden}
    widths |= dict.fromkeys(("gate_proj", "up_proj", "down_proj"), hidden + inner)
    return int(config["num_hidden_layers"] * lora.rank * sum(widths.get(target, 0) for target in lora.targets))


def estimate_stage(
    policy: Path, found: Tokenized, config: TrainConfig, *, n_ranks: int, on_cpu: bool, in_bf16: bool
) -> Estimate:
    """Return the size of a stage on `n_ranks` processes.

    Raises:
        TrainError: the policy's config.json cannot be read, or is of no Llama shape.
    """
    try:
        shape = json.loads((policy / "config.json").read_text(encoding="utf-8"))
        parameters = count_parameters(shape)
    except (OSError, ValueError, KeyError) as error:
        raise TrainError(f"{policy}/config.json does not tell the shape of a policy: {error!r}") from error
    n_micro = micro_tokens(
        config.micro_tokens,
        n_layers=parameters.n_layers,
        n_hidden=shape["hidden_size"],
        body_share=parameters.body_share,
        on_cpu=on_cpu,
    )
    widest = max(n_micro, *(example.n_tokens for example in found.examples))
    longest = max(len(e.prompt) + max(map(len, e.responses)) for e in found.examples)
    return estimate_shape(
        shape,
        config,
        n_pairs=len(found.examples),
        n_tokens=found.n_tokens * config.epochs,
        widest=widest,
        kept_keys=min(longest, MOST_KEYS) // 2 if on_cpu else 0,  # a token sees half of them, on average
        n_ranks=n_ranks,
        in_bf16=in_bf16,
    )


def estimate_shape(
    shape: Mapping[str, Any],
    config: TrainConfig,
    *,
    n_pairs: int,
    n_tokens: int,
    widest: int,
    n_ranks: int,
    in_bf16: bool,
    kept_keys: int = 0,
) -> Estimate:
    """Return the size of a stage of a shape, as config.json has it; `widest` are the tokens of one forward pass.

    `kept_keys` are those to which a token's share of attention is kept, in float32, for the backward pass.
    """
    parameters = count_parameters(shape)
    n_state_bytes = STATE_BYTES * parameters.total
    if config.lora.rank:  # the frozen weights have neither gradient nor moments
        n_state_bytes = 4 * parameters.total + STATE_BYTES * count_adapter(shape, config.lora)
    number = 2 if in_bf16 else 4
    per_layer = ACTIVATION_BYTES // 2 * number * shape["hidden_size"] + 4 * shape["num_attention_heads"] * kept_keys
    per_token = per_layer * parameters.n_layers
    if config.gradient_checkpointing:  # each layer's input, and the activations of the one that is computed anew
        per_token = number * parameters.n_layers * shape["hidden_size"] + per_layer
    return Estimate(
        n_pairs=n_pairs,
        n_tokens=n_tokens,
        n_steps=config.epochs * math.ceil(n_pairs / config.batch_size),
        n_parameters=parameters.total,
        state_bytes=n_state_bytes // n_ranks,
        gathered_bytes=_gathered_bytes(parameters, config, number=number) if n_ranks > 1 else 0,
        activation_bytes=widest * per_token,
        head_bytes=CHUNK_STATES * shape["vocab_size"] * (4 + (number if in_bf16 else 0))
        + shape["vocab_size"] * shape["hidden_size"] * (4 + number),
        is_offloaded=config.sharding.cpu_offload,
    )


def _gathered_bytes(parameters: Parameters, config: TrainConfig, *, number: int) -> int:
    """Return the bytes that FSDP2 gathers at once: the root and two layers, one ahead, and a gradient on its way.

    Without `reshard_after_forward` all layers; with `defer_reduction` a whole gradient, in float32.
    """
    n_gathered = 2 if config.sharding.reshard_after_forward else parameters.n_layers
    weights = number * (parameters.root + min(n_gathered, parameters.n_layers) * parameters.layer)
    gradient = (number + 4) * max(parameters.root, parameters.layer)
    return weights + (4 * parameters.total if config.sharding.defer_reduction else gradient)
