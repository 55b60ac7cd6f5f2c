"""The reference's log-probabilities: one pass without gradients per stage, kept beside it.

The file is named by what it holds for: the reference's hash, the token ids, and the precision. So a second epoch and a
resumed or repeated stage cost no pass, and a trained policy is never taken for its own reference.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from tsotrain.batching import Example, pack
from tsotrain.parallel import Processes, deal, reshard
from tsotrain.policy import Policy


def reference_key(policy_sha256: str, examples: Sequence[Example], precision: torch.dtype) -> str:
    """Return the key of a cache: 16 hex digits over the reference, the tokens in their order, and the precision."""
    digest = hashlib.sha256(f"{policy_sha256}|{precision}".encode())
    for example in examples:
        digest.update(repr(example).encode())
    return digest.hexdigest()[:16]


def load_references(folder: Path, key: str) -> Tensor | None:
    """Return the cached log-probabilities of a key, shape (examples, responses), or None."""
    path = _path(folder, key)
    return load_file(path)["logps"] if path.exists() else None


def save_references(folder: Path, key: str, logps_ER: Tensor) -> None:
    """Keep log-probabilities under a key, whole or not at all."""
    path = _path(folder, key)
    partial = path.with_suffix(".partial")
    save_file({"logps": logps_ER.contiguous()}, partial)
    partial.replace(path)


def _path(folder: Path, key: str) -> Path:
    return folder / f"reference-{key}.safetensors"


@torch.no_grad()
def score_references(
    policy: Policy, examples: Sequence[Example], ours: Processes, *, max_tokens: int, precision: torch.dtype
) -> Tensor:
    """Return the log-probability of every response under the policy, shape (examples, responses), in nats."""
    n_responses = len(examples[0].responses)
    logps_ER = torch.zeros((len(examples), n_responses), device=ours.device)
    place = {example.example_id: position for position, example in enumerate(examples)}
    for group in deal(examples, ours.n_ranks, max_tokens)[ours.rank].micro_batches:
        with torch.autocast(ours.device.type, precision, enabled=precision != torch.float32):
            _, scored_E = policy(pack(group or examples[:1], ours.device))
        if group:
            rows = torch.tensor([place[example.example_id] for example in group], device=ours.device)
            logps_ER[rows] = scored_E.view(len(group), n_responses)
    reshard(policy)
    return ours.sum(logps_ER).cpu()
