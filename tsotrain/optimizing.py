"""The optimizer and its schedule: AdamW, a linear warm-up, a cosine to zero."""

from __future__ import annotations

import math

import torch

from tsotrain.config import OptimizerConfig
from tsotrain.policy import Policy


def learning_rate(config: OptimizerConfig, step: int, n_steps: int) -> float:
    """Return the learning rate of a step, counted from 0: a linear warm-up, then a cosine to zero."""
    n_warm = math.ceil(config.warmup * n_steps)
    if step < n_warm:
        return config.learning_rate * (step + 1) / n_warm
    done = (step - n_warm) / max(1, n_steps - n_warm)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


def make_optimizer(policy: Policy, config: OptimizerConfig) -> torch.optim.AdamW:
    """Return AdamW over the policy's weights; norms and biases, which have one dimension, do not decay."""
    weights = [parameter for parameter in policy.parameters() if parameter.requires_grad]
    groups = [
        {"params": [w for w in weights if w.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [w for w in weights if w.ndim < 2], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=config.betas, fused=True)
