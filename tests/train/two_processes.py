"""What both processes of test_parallel.py do: `torchrun --standalone --nproc-per-node 2 two_processes.py FOLDER`."""

import json
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import torch

from tsotrain.config import LoraConfig, OptimizerConfig, ShardingConfig, StageConfig
from tsotrain.learning import train_stage
from tsotrain.leaving import leave_after
from tsotrain.loading import load_sharded
from tsotrain.parallel import processes
from tsotrain.policy import load_tokenizer
from tsotrain.saving import save_policy
from tsotrain.tokens import tokenize_pairs

CONFIG = StageConfig(
    optimizer=OptimizerConfig(learning_rate=1e-3),
    batch_pairs=4,  # of 10 pairs: the last batch of an epoch has two
    precision="fp32",
    checkpoint_steps=2,
    micro_tokens=60,  # several forward passes a step
)
DEFERRED = replace(CONFIG, sharding=ShardingConfig(defer_reduction=True, reshard_after_forward=False))
ADAPTED = replace(CONFIG, lora=LoraConfig(rank=4, targets=("q_proj", "down_proj")))
OFFLOADED = replace(CONFIG, sharding=ShardingConfig(cpu_offload=True), gradient_checkpointing=True)


def stop_after_step_3(line):
    if line.startswith("step 3/"):
        raise SystemExit  # the newest checkpoint is that of step 2


def train(folder, name, config, ours, say=lambda _: None):
    base = folder / "base"
    rows = json.loads((folder / "rows.json").read_text())
    examples = tokenize_pairs(rows, load_tokenizer(base), config).examples
    return train_stage(base, examples, folder / name, config=config, ours=ours, say=say)


def main(folder):
    with processes() as ours:
        train(folder, "two", CONFIG, ours)
        train(folder, "deferred", DEFERRED, ours)
        train(folder, "offloaded", OFFLOADED, ours)
        if find_spec("peft"):
            train(folder, "adapted", ADAPTED, ours)
            train(folder, "adapted-one-then-two", ADAPTED, ours)
        train(folder, "one-then-two", CONFIG, ours)
        try:
            train(folder, "two-then-one", CONFIG, ours, say=stop_after_step_3)
        except SystemExit:
            ours.wait()
        sharding = ShardingConfig()
        policy = load_sharded(folder / "tied", ours, precision=torch.float32, config=sharding)
        save_policy(policy, folder / "tied", folder / "again", ours, shard_bytes=20_000)


if __name__ == "__main__":
    leave_after(lambda: main(Path(sys.argv[1])))
