"""What a stage will take: steps, tokens, and memory by formula, before anything is loaded.

Weights are kept in float32 with their gradient and AdamW's two moments: 16 bytes a parameter, divided among the
processes. On top come the activations of one micro-batch (Korthikanti et al. 2022, Eq. 2, without the attention matrix,
which is never held: 34 bytes a token, layer and hidden unit at 2 bytes a number) and the head's buffers.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    activation_bytes: int
    head_bytes: int

    @property
    def total_bytes(self) -> int:
        """Return the memory of one process."""
        return self.state_bytes + self.activation_bytes + self.head_bytes


def count_parameters(config: dict[str, Any]) -> int:
    """Return the parameters of a Llama-shaped model from its config.json."""
    hidden, layers = config["hidden_size"], config["num_hidden_layers"]
    head = config.get("head_dim") or hidden // config["num_attention_heads"]
    queries = config["num_attention_heads"] * head
    keys = (config.get("num_key_value_heads") or config["num_attention_heads"]) * head
    attention = 2 * hidden * queries + 2 * hidden * keys
    layer = attention + 3 * hidden * config["intermediate_size"] + 2 * hidden
    embeddings = config["vocab_size"] * hidden * (1 if config.get("tie_word_embeddings") else 2)
    return int(layers * layer + embeddings + hidden)


def count_adapter(config: dict[str, Any], lora: LoraConfig) -> int:
    """Return the parameters of an adapter of a Llama-shaped model: two factors beside each layer that is adapted."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    head = config.get("head_dim") or hidden // config["num_attention_heads"]
    queries = config["num_attention_heads"] * head
    keys = (config.get("num_key_value_heads") or config["num_attention_heads"]) * head
    widths = {"q_proj": hidden + queries, "k_proj": hidden + keys, "v_proj": hidden + keys, "o_proj": queries + hidden}
    widths |= dict.fromkeys(("gate_proj", "up_proj", "down_proj"), hidden + inner)
    return int(config["num_hidden_layers"] * lora.rank * sum(widths.get(target, 0) for target in lora.targets))


def estimate_stage(policy: Path, found: Tokenized, config: TrainConfig, *, n_ranks: int, in_bf16: bool) -> Estimate:
    """Return the size of a stage on `n_ranks` processes.

    Raises:
        TrainError: the policy's config.json cannot be read, or is of no Llama shape.
    """
    try:
        shape = json.loads((policy / "config.json").read_text(encoding="utf-8"))
        n_parameters = count_parameters(shape)
    except (OSError, ValueError, KeyError) as error:
        raise TrainError(f"{policy}/config.json does not tell the shape of a policy: {error!r}") from error
    n_state_bytes = STATE_BYTES * n_parameters
    if config.lora.rank:  # the frozen weights have neither gradient nor moments
        n_state_bytes = 4 * n_parameters + STATE_BYTES * count_adapter(shape, config.lora)
    number = 2 if in_bf16 else 4
    widest = max(config.micro_tokens, *(example.n_tokens for example in found.examples))
    per_token = ACTIVATION_BYTES // 2 * number * shape["num_hidden_layers"] * shape["hidden_size"]
    if config.gradient_checkpointing:
        per_token = number * shape["num_hidden_layers"] * shape["hidden_size"]
    return Estimate(
        n_pairs=len(found.examples),
        n_tokens=found.n_tokens * config.epochs,
        n_steps=config.epochs * math.ceil(len(found.examples) / config.batch_size),
        n_parameters=n_parameters,
        state_bytes=n_state_bytes // n_ranks,
        activation_bytes=widest * per_token,
        head_bytes=CHUNK_STATES * shape["vocab_size"] * (4 + (number if in_bf16 else 0))
        + shape["vocab_size"] * shape["hidden_size"] * (4 + number),
    )
